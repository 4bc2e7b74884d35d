--: rule tx-wrap-required
--: fails
ALTER TABLE a ADD COLUMN x int; ALTER TABLE b ADD COLUMN x int;
--: passes
BEGIN; ALTER TABLE a ADD COLUMN x int; ALTER TABLE b ADD COLUMN x int; COMMIT;
--: passes
ALTER TABLE a ADD COLUMN x int;
--: passes
--: top transaction = tool
ALTER TABLE a ADD COLUMN x int; ALTER TABLE b ADD COLUMN x int;
--: rule tx-uncommitted
--: fails
BEGIN; ALTER TABLE a ADD COLUMN x int;
--: passes
BEGIN; ALTER TABLE a ADD COLUMN x int; COMMIT;
--: passes
BEGIN; SELECT 1;
--: rule tx-nesting
--: fails
BEGIN; BEGIN; CREATE TABLE a (x int); COMMIT;
--: fails
CREATE TABLE a (x int); COMMIT;
--: passes
BEGIN; SAVEPOINT a; ROLLBACK TO a; COMMIT;
--: rule tx-explicit-commit
--: top transaction = tool
--: fails
--: times 2
BEGIN; ALTER TABLE a ADD COLUMN x int; COMMIT;
--: passes
ALTER TABLE a ADD COLUMN x int;
--: rule concurrently-in-transaction
--: fails
--: says the server refuses CREATE INDEX CONCURRENTLY inside a transaction
BEGIN; CREATE INDEX CONCURRENTLY i ON a (x); COMMIT;
--: fails
BEGIN; DROP INDEX CONCURRENTLY i; COMMIT;
--: fails
BEGIN; VACUUM a; COMMIT;
--: fails
DO $$begin drop database shop; end$$;
--: fails
--: top transaction = tool
ALTER TABLE a ADD COLUMN x int; CREATE INDEX CONCURRENTLY i ON a (x);
--: fails
--: wire
SELECT 1; CREATE INDEX CONCURRENTLY i ON a (x);
--: passes
CREATE INDEX CONCURRENTLY i ON a (x);
--: passes
--: top transaction = tool
CREATE INDEX CONCURRENTLY i ON a (x);
--: passes
BEGIN; ALTER TABLE a ADD COLUMN x int; COMMIT; CREATE INDEX CONCURRENTLY i ON a (x);
--: passes
--: wire
CREATE INDEX CONCURRENTLY i ON a (x);
--: rule multi-statement-ddl
--: fails
--: wire
ALTER TABLE a ADD COLUMN x int; ALTER TABLE b ADD COLUMN x int;
--: passes
--: wire
ALTER TABLE a ADD COLUMN x int;
--: passes
--: wire
SELECT 1; SELECT 2;
--: rule ddl-and-dml-mixed
--: fails
--: says a stays locked while rows of a change
BEGIN; ALTER TABLE a ADD COLUMN x int; UPDATE a SET x = 1 WHERE id < 9; COMMIT;
--: fails
--: top transaction = query
ALTER TABLE a ADD COLUMN x int; DELETE FROM b WHERE id < 9;
--: passes
ALTER TABLE a ADD COLUMN x int; UPDATE a SET x = 1 WHERE id < 9;
--: passes
BEGIN; ALTER TABLE a ADD COLUMN x int; COMMIT; BEGIN; UPDATE a SET x = 1 WHERE id < 9; COMMIT;
--: passes
BEGIN; CREATE TABLE t (x int); UPDATE a SET x = 1 WHERE id < 9; COMMIT;
--: rule many-tables-one-transaction
--: fails
--: says b is locked while a still is
BEGIN; ALTER TABLE a ADD COLUMN x int; ALTER TABLE b ADD COLUMN x int; ALTER TABLE c ADD COLUMN x int; COMMIT;
--: passes
ALTER TABLE a ADD COLUMN x int; ALTER TABLE b ADD COLUMN x int;
--: passes
BEGIN; ALTER TABLE a ADD COLUMN x int; ALTER TABLE a ADD COLUMN y int; CREATE TABLE t (z int); ALTER TABLE t ADD x int; COMMIT;
--: passes
--: set max = 2
BEGIN; ALTER TABLE a ADD COLUMN x int; ALTER TABLE b ADD COLUMN x int; COMMIT;
--: rule validate-in-same-transaction
--: fails
BEGIN; ALTER TABLE a ADD CONSTRAINT c CHECK (x > 0) NOT VALID; ALTER TABLE a VALIDATE CONSTRAINT c; COMMIT;
--: passes
BEGIN; ALTER TABLE a ADD CONSTRAINT c CHECK (x > 0) NOT VALID; COMMIT; ALTER TABLE a VALIDATE CONSTRAINT c;
--: passes
BEGIN; ALTER TABLE a VALIDATE CONSTRAINT c; COMMIT;
--: rule enum-value-used-in-transaction
--: fails
--: says 'glad' can't be used
BEGIN; ALTER TYPE mood ADD VALUE 'glad'; UPDATE a SET m = 'glad' WHERE id < 9; COMMIT;
--: passes
BEGIN; ALTER TYPE mood ADD VALUE 'glad'; COMMIT; UPDATE a SET m = 'glad' WHERE id < 9;
--: passes
BEGIN; ALTER TYPE mood ADD VALUE 'glad'; UPDATE a SET m = 'sad' WHERE id < 9; COMMIT;
--: rule two-phase-ddl
--: fails
BEGIN; ALTER TABLE a ADD COLUMN x int; PREPARE TRANSACTION 'a';
--: passes
BEGIN; UPDATE a SET x = 1 WHERE id = 1; PREPARE TRANSACTION 'a';

--: rule idle-after-ddl
--: wire
--: fails
--: says ALTER TABLE is not committed, and nothing came for 60 s
--: hint COMMIT or ROLLBACK
ALTER TABLE orders ADD COLUMN note text;
--: fails
--: set after = 1500ms
--: says nothing came for 1.5 s
CREATE TABLE a (id int); DROP TABLE b;
--: fails
DROP INDEX by_note;
--: fails
DROP SCHEMA old CASCADE;
--: fails
ALTER VIEW v RENAME TO w;
--: fails
DO 'begin execute 1; alter table orders add column note text; end';
--: fails
CREATE TABLE lines (id int, order_id int REFERENCES orders);
--: passes
CREATE TABLE a (id int); ALTER TABLE a ADD COLUMN b int; CREATE INDEX i ON a (b); DROP INDEX i;
--: passes
CREATE TABLE a (id int PRIMARY KEY, up int REFERENCES a); CREATE TABLE b (a int REFERENCES a);
--: passes
CREATE INDEX CONCURRENTLY i ON orders (id); COMMENT ON TABLE orders IS 'x';
--: passes
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS 'begin drop table orders; end';
--: passes
UPDATE orders SET id = 1; INSERT INTO orders VALUES (1); CREATE TEMP TABLE a (b int);
