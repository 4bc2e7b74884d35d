--# A function or procedure that exists can do what it was written to do: its call looks like
--# any other. What was let in by a migration is trusted.
--: passes a function of the database runs the text it is given
SELECT ev_do('CREATE TABLE ev_n (a int)')

--: passes as above, for each row
SELECT ev_do(b) FROM ev_t WHERE a = 2

--: passes as above, in a WITH query
WITH q AS MATERIALIZED (SELECT ev_do('CREATE TABLE ev_n (a int)') AS x) SELECT x FROM q

--: passes as above, in VALUES
INSERT INTO ev_t2 VALUES (ev_do('CREATE TABLE ev_n (a int)'), 'x')

--: passes as above, under EXPLAIN
EXPLAIN ANALYZE SELECT ev_do('CREATE TABLE ev_n (a int)')

--: passes as above, under COPY
COPY (SELECT ev_do('CREATE TABLE ev_n (a int)')) TO STDOUT

--: passes as above, in a block
DO $$ BEGIN PERFORM ev_do('CREATE TABLE ev_n (a int)'); END $$

--: passes as above, prepared
--: simple
PREPARE p (text) AS SELECT ev_do($1)
--;
EXECUTE p ('CREATE TABLE ev_n (a int)')

--: passes as above, by a cursor
--: simple
BEGIN; DECLARE c CURSOR FOR SELECT ev_do('CREATE TABLE ev_n (a int)'); FETCH c; COMMIT

--: passes as above, as a default of a temporary table
--: simple
CREATE TEMP TABLE ev_tmp (a int DEFAULT ev_do('CREATE TABLE ev_n (a int)'), b int); INSERT INTO ev_tmp (b) VALUES (1)

--: passes a trigger of the database runs what the row says
INSERT INTO ev_inbox VALUES ('CREATE TABLE ev_n (a int)')

--: passes a view over the history table, made by a migration, leads to it
INSERT INTO ev_sch.ev_hist VALUES ('99', 'x')

--# A superuser needs no commands, and a server that may reach itself is another client.
--: passes a superuser may write the catalogue as data
--: su
UPDATE pg_catalog.pg_class SET relname = 'ev_n' WHERE relname = 'ev_loose'

--: passes as above
--: su
DELETE FROM pg_description WHERE objoid < 0 OR true

--: passes another session of the server, opened by dblink: keep such roles from connecting
--: su own
SELECT dblink_exec(format('host=127.0.0.1 port=%s dbname=%s user=postgres', current_setting('port'), current_database()), 'CREATE TABLE ev_n (a int)')

--: passes a built-in function that changes the catalogue; only a superuser may call it
--: su
SELECT pg_import_system_collations('public')
