--: rule idempotent-create
--: fails
--: hint CREATE TABLE IF NOT EXISTS t (a int)
CREATE TABLE t (a int);
--: fails
--: hint CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)
CREATE INDEX CONCURRENTLY i ON t (a);
--: fails
--: hint ALTER TABLE t ADD COLUMN IF NOT EXISTS b integer
ALTER TABLE t ADD COLUMN b int;
--: passes
CREATE TABLE IF NOT EXISTS t (a int); ALTER TABLE u ADD COLUMN IF NOT EXISTS b int;
--: rule idempotent-drop
--: fails
--: hint DROP TABLE IF EXISTS t
DROP TABLE t;
--: fails
--: hint ALTER TABLE t DROP COLUMN IF EXISTS b
ALTER TABLE t DROP COLUMN b;
--: passes
DROP TABLE IF EXISTS t; ALTER TABLE t DROP CONSTRAINT IF EXISTS c;
--: rule create-or-replace
--: fails
--: hint CREATE OR REPLACE VIEW v AS SELECT 1
CREATE VIEW v AS SELECT 1;
--: passes
CREATE OR REPLACE VIEW v AS SELECT 1;
--: rule merge-alter-table
--: fails
--: hint ALTER TABLE t ADD COLUMN a int, ADD COLUMN b int
ALTER TABLE t ADD COLUMN a int; ALTER TABLE t ADD COLUMN b int;
--: passes
ALTER TABLE t ADD COLUMN a int, ADD COLUMN b int;
--: passes
ALTER TABLE t ADD COLUMN a int; ALTER TABLE u ADD COLUMN b int;
--: rule select-into-ctas
--: fails
SELECT 1 AS a INTO t;
--: fails
CREATE TABLE t AS SELECT 1 AS a;
--: passes
CREATE TABLE t (a int); INSERT INTO t SELECT 1;
--: rule view-select-star
--: fails
CREATE VIEW v AS SELECT * FROM t;
--: passes
CREATE VIEW v AS SELECT a, count(*) FROM t GROUP BY a;
--: rule insert-columns
--: fails
INSERT INTO t VALUES (1, 2);
--: passes
INSERT INTO t (a, b) VALUES (1, 2);
--: passes
INSERT INTO t DEFAULT VALUES;
--: rule insert-row-limit
--: set max = 2
--: fails
INSERT INTO t (a) VALUES (1), (2), (3);
--: passes
INSERT INTO t (a) VALUES (1), (2);
--: rule duplicate-column
--: fails
CREATE TABLE t (a int, b int, a text);
--: fails
UPDATE t SET a = 1, a = 2 WHERE id = 1;
--: passes
CREATE TABLE t (a int, b int); UPDATE t SET a = 1, b = 1 WHERE id = 1;
--: rule search-path-change
--: fails
SET search_path = app;
--: passes
SET lock_timeout = '2s';
--: passes
CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path = app AS 'select 1';
--: rule statement-size
--: set max_bytes = 100
--: fails
INSERT INTO t (a) VALUES ('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx');
--: passes
SELECT 1;
--: rule one-change-per-migration
--: fails
--: says the file makes 2 schema changes
CREATE TABLE t (a int); CREATE TABLE u (a int);
--: passes
CREATE TABLE t (a int); INSERT INTO t VALUES (1);
--: rule table-column-limit
--: set max = 2
--: fails
CREATE TABLE t (a int, b int); ALTER TABLE t ADD COLUMN c int;
--: passes
CREATE TABLE t (a int, b int);
--: rule custom-pattern
--: set pattern = [Nn][Oo][Ll][Oo][Cc][Kk]
--: fails
ALTER TABLE nolock ADD COLUMN a int;
--: passes
COMMENT ON TABLE t IS 'nolock' /* nolock */;
--: rule exception-comment
--: fails
--: says "drop-tabel" is no rule
-- ddlgate: allow drop-tabel because
DROP TABLE t;
--: fails
--: says the exception from drop-table gives no reason
-- ddlgate: allow drop-table
DROP TABLE t;
--: fails
--: says drop-table finds nothing here
-- ddlgate: allow-file drop-table old stuff
ALTER TABLE t ADD COLUMN a int;
--: passes
--: top exceptions = allow
ALTER TABLE t ADD COLUMN a int; -- ddlgate: see the manual
--: rule if-not-exists-hides-difference
--: live orders R public|orders|r||||8192|3|0|k
--: live orders C:1 id|int8|int8|bigint|-1|n
--: live orders C:2 note|varchar|varchar|character varying(20)|24|
--: live report R public|report|v|||||||
--: live orders_a R public|orders_a|i|||||||
--: live orders_a T public|orders|r||||8192|3|0|k
--: live orders_a I:5 public|orders_a|btree|v||0|8192|0
--: live orders_a J:5 a
--: fails
--: says public.orders is there already, and its id is bigint, not integer
CREATE TABLE IF NOT EXISTS orders (id int);
--: fails
--: says has no column more
CREATE TABLE IF NOT EXISTS orders (id bigint NOT NULL, note varchar(20), more text);
--: fails
--: says public.report is there already, and it is a view
CREATE TABLE IF NOT EXISTS report (id int);
--: fails
--: says index public.orders_a is there already, and is on (a)
CREATE INDEX IF NOT EXISTS orders_a ON orders (b);
--: fails
--: says its note is character varying(20), not text
ALTER TABLE orders ADD COLUMN IF NOT EXISTS note text;
--: passes
CREATE TABLE IF NOT EXISTS orders (id bigint NOT NULL, note varchar(20));
--: passes
CREATE INDEX IF NOT EXISTS orders_a ON orders (a);
--: passes
ALTER TABLE orders ADD COLUMN IF NOT EXISTS more text;
--: passes
CREATE TABLE IF NOT EXISTS nobody_has_it (id int);
--: passes
DROP TABLE orders; CREATE TABLE IF NOT EXISTS orders (id int);
