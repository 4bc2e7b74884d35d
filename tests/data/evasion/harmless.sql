--# queries
SELECT 1

SELECT a, b FROM ev_t WHERE b LIKE 'CREATE%' ORDER BY a

SELECT 'DROP TABLE ev_t; --' AS text

SELECT $$ALTER TABLE ev_t ADD x int$$

SELECT $a$ ; DROP TABLE ev_loose; $a$

SELECT 1 /* DROP TABLE ev_loose */

SELECT 1 -- ; DROP TABLE ev_loose

SELECT "comment", "do", "set", "into" FROM "order"

SELECT o."comment" AS comment, o."do" AS "create", o."set" AS drop FROM "order" o

SELECT comment FROM (SELECT 'x' AS comment) x

SELECT 1 AS truncate, 2 AS cluster, 3 AS vacuum, 4 AS alter, 5 AS drop

SELECT x.alter, x.drop, x.comment, x.security FROM (SELECT 1 AS alter, 2 AS drop, 3 AS comment, 4 AS security) x

SELECT "into" FROM "order" WHERE "set" = 1

SELECT * FROM "order" AS comment WHERE comment.id = 1

SELECT count(*) AS total, sum(c) FILTER (WHERE c > 0) FROM ev_t GROUP BY GROUPING SETS ((b), ())

SELECT a, row_number() OVER (PARTITION BY b ORDER BY a) FROM ev_t WINDOW w AS (ORDER BY a)

SELECT DISTINCT ON (b) * FROM ev_t ORDER BY b, a DESC LIMIT 5 OFFSET 0

SELECT * FROM ev_t t JOIN LATERAL (SELECT t.a + 1 AS x) s ON true LEFT JOIN ev_t2 USING (a)

SELECT * FROM ev_t WHERE a = ANY ('{1,2}'::int[]) AND b IS NOT NULL AND d BETWEEN '2020-01-01' AND now()

SELECT * FROM ev_t WHERE EXISTS (SELECT 1 FROM ev_t2 WHERE ev_t2.a = ev_t.a) FOR UPDATE SKIP LOCKED

SELECT '{"create": "table", "drop": [1, 2]}'::jsonb -> 'create'

SELECT jsonb_set('{"a": 1}', '{a}', '2'), jsonb_build_object('set', 1, 'into', 2)

SELECT jsonb_path_query('{"a": [1, 2]}', '$.a[*] ? (@ > 1)')

SELECT json_agg(row_to_json(t)) FROM (SELECT a, b FROM ev_t ORDER BY a) t

SELECT string_agg(b, ';' ORDER BY a) FROM ev_t

SELECT E'it''s; DROP TABLE x', e'\\', U&'d\0061t', N'x', B'101', X'1F'

SELECT 'a' 'b'
--: same

SELECT 'a'
'b; DROP TABLE ev_loose'

SELECT 1 + 2 * 3 - -4, 5 <> 6, 7 != 8, 'a' || 'b', 2 ^ 3, @ -1, |/ 4

SELECT ARRAY[1, 2, 3][1:2], (ROW (1, 'x')).f1, '(1,2)'::ev_pair

SELECT CASE WHEN a > 1 THEN 'drop' ELSE 'create' END FROM ev_t

SELECT CAST ('1' AS int), '1'::int, int '1', DATE '2020-01-01', INTERVAL '1 day'

SELECT extract(epoch FROM now()) > 0, position('a' IN 'ba'), substring('abc' FROM 2 FOR 1), trim(both 'x' from 'xax')

SELECT current_user, session_user, current_schema, current_date IS NOT NULL

SELECT coalesce(NULL, 1), nullif(1, 1), greatest(1, 2), least(1, 2)

SELECT generate_series(1, 3)

SELECT * FROM generate_series(1, 3) WITH ORDINALITY AS g (x, n)

SELECT * FROM unnest(ARRAY[1, 2], ARRAY['a', 'b']) AS u (a, b)

SELECT ev_f(1)

SELECT * FROM ev_v UNION ALL SELECT 3, 'x' INTERSECT SELECT 4, 'y'

(SELECT 1) UNION (SELECT 2) ORDER BY 1

VALUES (1, 'CREATE'), (2, 'DROP')

TABLE ev_t

WITH x AS (SELECT 1 AS a), y AS (SELECT 2 AS b) SELECT * FROM x, y

WITH RECURSIVE r (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r

WITH drop AS (SELECT 1 AS alter) SELECT alter FROM drop

WITH "create" AS MATERIALIZED (SELECT 1) TABLE "create"

SELECT version, name FROM schema_migrations ORDER BY version

SELECT EXISTS (SELECT 1 FROM public.schema_migrations WHERE version = '1')

SELECT count(*) FROM "schema_migrations" s JOIN ev_t ON true FOR SHARE OF s

SELECT 'INSERT INTO schema_migrations' AS schema_migrations

SELECT pg_catalog.set_config('search_path', '', false)

SELECT set_config('application_name', 'x', false), current_setting('application_name')

SELECT pg_advisory_xact_lock(1), pg_try_advisory_lock(2)

SELECT name, setting FROM pg_settings WHERE name LIKE 'work%'

SELECT nextval('ev_s') > 0, setval('ev_s', 10)

SELECT lo_unlink(lo_create(0))

SELECT to_tsvector('english', 'creating tables') @@ to_tsquery('create & table')

SELECT ts_headline('a drop of', to_tsquery('drop'))

SELECT relname FROM pg_class WHERE relname = 'ev_t' AND relkind IN ('r', 'p')

SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'ev_t' ORDER BY 1

SELECT 1 WHERE 'create table' ILIKE '%table' ESCAPE '!'

SELECT 1 AS é, 'ü' AS "Ä", $é$x$é$

SELECT a$b$ FROM (SELECT 1 AS a$b$) x

SELECT xmlelement(name drop, xmlattributes (1 AS alter))

SELECT (SELECT (SELECT (SELECT 1)))

--# data
INSERT INTO ev_t VALUES (10, 'CREATE TABLE x ()', 1)

INSERT INTO ev_t (a, b) VALUES (11, 'x'), (12, 'y') ON CONFLICT (a) DO UPDATE SET b = excluded.b, c = ev_t.c + 1 WHERE ev_t.a > 0 RETURNING a

INSERT INTO ev_t (a) VALUES (13) ON CONFLICT DO NOTHING

INSERT INTO ev_t (a, b) SELECT a + 100, b FROM ev_t

INSERT INTO ev_t2 DEFAULT VALUES

INSERT INTO "order" (id, "comment", "do", "set", "into") VALUES (2, 'x', 1, 2, 3) ON CONFLICT ON CONSTRAINT order_pkey DO UPDATE SET "set" = 5, "do" = 6

INSERT INTO ev_t2 (a, b) OVERRIDING SYSTEM VALUE VALUES (1, 'x')

WITH x AS (INSERT INTO ev_t2 VALUES (5, 'x') RETURNING a) SELECT a FROM x

WITH x AS (DELETE FROM ev_t2 RETURNING *), y AS (UPDATE ev_t SET c = 1 RETURNING a) INSERT INTO ev_t2 SELECT a, 'moved' FROM y

UPDATE ev_t SET b = 'DROP TABLE x' WHERE a = 1

UPDATE ev_t AS t SET (b, c) = ('x', 2) FROM ev_t2 s WHERE s.a = t.a RETURNING t.*

UPDATE "order" SET "set" = "set" + 1, "comment" = 'do' WHERE id = 1

DELETE FROM ev_t2 WHERE a IN (SELECT a FROM ev_t)

DELETE FROM ONLY ev_t2 USING ev_t WHERE ev_t2.a = ev_t.a RETURNING ev_t2.a

MERGE INTO ev_t t USING ev_t2 s ON s.a = t.a WHEN MATCHED THEN UPDATE SET b = s.b WHEN NOT MATCHED THEN DO NOTHING

MERGE INTO ev_t2 t USING (VALUES (7, 'x')) s (a, b) ON s.a = t.a WHEN NOT MATCHED THEN INSERT (a, b) VALUES (s.a, s.b) WHEN MATCHED THEN DELETE

EXPLAIN SELECT * FROM ev_t

EXPLAIN (ANALYZE, BUFFERS, TIMING off, COSTS off, SUMMARY off) SELECT 1
--: same

EXPLAIN (FORMAT json) UPDATE ev_t SET c = 1

--# cursors, COPY, notifications, locks
--: simple
BEGIN; DECLARE c CURSOR FOR SELECT a FROM ev_t; FETCH 1 FROM c; MOVE NEXT IN c; CLOSE c; COMMIT

--: simple
DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT 'DROP'; FETCH ALL c; CLOSE ALL

COPY ev_t TO STDOUT

COPY (SELECT a, b FROM ev_t ORDER BY a) TO STDOUT WITH (FORMAT csv, HEADER true)

COPY ev_t (a, b) TO STDOUT DELIMITER ',' NULL 'into'

LISTEN ev

NOTIFY ev, 'CREATE TABLE x ()'

SELECT pg_notify('ev', 'DROP TABLE x')

UNLISTEN *

--: simple
BEGIN; LOCK TABLE ev_t IN SHARE ROW EXCLUSIVE MODE; COMMIT

--: simple
BEGIN; LOCK ev_t, ev_t2; ROLLBACK

CHECKPOINT
--: same

--# settings and transactions
SET search_path = public, ev_sch

SET SESSION work_mem TO '8MB'

SET TIME ZONE 'UTC'

SET client_encoding TO 'UTF8'

SET NAMES 'UTF8'

SET standard_conforming_strings = on

SET LOCAL statement_timeout = 0

SET SESSION AUTHORIZATION DEFAULT

SET ROLE NONE

SET extra_float_digits = 3

SHOW search_path

SHOW ALL

SHOW TRANSACTION ISOLATION LEVEL

RESET work_mem

RESET ALL

DISCARD PLANS

DISCARD SEQUENCES

DISCARD TEMP

--: simple
DISCARD ALL

--: simple
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY DEFERRABLE; SELECT 1; COMMIT

--: simple
START TRANSACTION; SAVEPOINT create_table; ROLLBACK TO SAVEPOINT create_table; RELEASE create_table; END

--: simple
BEGIN; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; SET CONSTRAINTS ALL DEFERRED; ROLLBACK AND NO CHAIN

--: simple
BEGIN; INSERT INTO ev_t VALUES (50); COMMIT AND CHAIN; SELECT 1; ABORT

--: simple
BEGIN; SELECT 1 / 0; ROLLBACK

SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE

--: simple
SET standard_conforming_strings = off
--;
SELECT 'a\'; DROP TABLE ev_loose; --'
--;
SELECT 'a\\', 'b\'c'

--: simple
BEGIN; SET LOCAL standard_conforming_strings = off
--;
COMMIT; SELECT 'a\'; DROP TABLE ev_loose; --'

--# prepared statements
--: simple
PREPARE p AS SELECT a FROM ev_t WHERE b = 'CREATE'
--;
EXECUTE p
--;
DEALLOCATE p

--: simple
PREPARE p (int, text) AS INSERT INTO ev_t (a, b) VALUES ($1, $2) ON CONFLICT (a) DO UPDATE SET b = $2
--;
EXECUTE p (1, 'DROP')
--;
EXPLAIN (COSTS off) EXECUTE p (1, 'x')
--;
DEALLOCATE PREPARE ALL

--: simple
PREPARE p AS UPDATE ev_t SET c = 1
--;
CREATE TEMP TABLE ev_tmp AS SELECT 1 AS a
--;
EXECUTE p

--# temporary tables
--: simple
CREATE TEMP TABLE ev_tmp (a int PRIMARY KEY, b text DEFAULT 'x')
--;
INSERT INTO ev_tmp VALUES (1)
--;
CREATE INDEX ON pg_temp.ev_tmp (b)
--;
ALTER TABLE pg_temp.ev_tmp ADD COLUMN c int
--;
DROP TABLE pg_temp.ev_tmp

--: simple
CREATE TEMPORARY TABLE IF NOT EXISTS ev_tmp (LIKE ev_t INCLUDING ALL) ON COMMIT DELETE ROWS

--: simple
CREATE LOCAL TEMP TABLE ev_tmp ON COMMIT DROP AS SELECT * FROM ev_t

--: simple
SELECT * INTO TEMP ev_tmp FROM ev_t
--;
SELECT count(*) FROM ev_tmp

--: simple
SELECT a INTO TEMPORARY TABLE ev_tmp FROM ev_t

--: simple
CREATE TEMP SEQUENCE ev_tmp
--;
SELECT nextval('ev_tmp')

--: simple
CREATE TEMP VIEW ev_tmp AS SELECT a FROM ev_t
--;
TABLE ev_tmp
--;
DROP VIEW pg_temp.ev_tmp

--: simple
CREATE FUNCTION pg_temp.twice(int) RETURNS int LANGUAGE sql AS 'SELECT $1 * 2'
--;
SELECT pg_temp.twice(4)

--: simple
CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE plpgsql AS $$ DECLARE x int; BEGIN SELECT max(a) INTO x FROM ev_t; RETURN x; END $$
--;
SELECT pg_temp.f() > 0

--: simple
CREATE TYPE pg_temp.ev_tmp AS (a int)
--;
CREATE TEMP TABLE ev_tmp2 (a pg_temp.ev_tmp)

--# code and statistics
DO $$ BEGIN PERFORM 1; END $$

DO $$ DECLARE x int; create_table text := 'CREATE TABLE x'; BEGIN SELECT count(*) INTO x FROM ev_t; RAISE NOTICE 'DROP TABLE %', x; END $$

DO $$ BEGIN UPDATE ev_t SET c = CASE WHEN a > 1 THEN 2 ELSE c END; IF FOUND THEN RETURN; END IF; END $$

DO $$ DECLARE r record; BEGIN FOR r IN SELECT a FROM ev_t LOOP INSERT INTO ev_t2 (a) VALUES (r.a); END LOOP; END $$

DO $$ BEGIN EXECUTE 'SELECT 1'; END $$

ANALYZE

ANALYZE (VERBOSE false) ev_t (a, b)

--# what the server refuses, the server refuses
SELECT * FROM ev_nothing

SELECT 1 FROM

INSERT INTO ev_t VALUES (1)

SELECT nothing_like_it(1)

SELECT 'not closed

SELECT 1 /* not closed

SELEC 1

--: simple
SELECT 1; SELECT 1 / 0; SELECT 2

--: simple
;

--: simple
;; SELECT 1 ;; SELECT 2 ;;

--: simple
-- only a comment; DROP TABLE x

--: simple
/* only /* a */ comment; CREATE TABLE x () */

SELECT 1;
