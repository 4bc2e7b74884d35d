--: rule drop-table
--: fails
--: hint ALTER TABLE public.orders RENAME TO orders_deprecated;
DROP TABLE public.orders;
--: fails
DROP MATERIALIZED VIEW totals;
--: passes
CREATE TABLE t (a int); DROP TABLE t;
--: passes
--: set except = *_deprecated
DROP TABLE orders_deprecated;
--: rule drop-column
--: fails
ALTER TABLE orders DROP COLUMN note;
--: passes
ALTER TABLE orders ADD COLUMN x int; ALTER TABLE orders DROP COLUMN x;
--: rule drop-schema
--: fails
--: says everything in schema billing is lost
--: hint DROP SCHEMA billing RESTRICT;
DROP SCHEMA billing CASCADE;
--: fails
DROP SCHEMA billing;
--: passes
CREATE SCHEMA billing;
--: rule drop-database
--: fails
DROP DATABASE shop;
--: passes
CREATE DATABASE shop;
--: rule drop-owned
--: fails
DROP OWNED BY app;
--: fails
REASSIGN OWNED BY app TO deploy;
--: passes
ALTER TABLE orders OWNER TO deploy;
--: rule truncate
--: fails
--: hint DELETE FROM orders WHERE
TRUNCATE orders;
--: fails
--: times 2
TRUNCATE orders, items;
--: passes
CREATE TABLE t (a int); TRUNCATE t;
--: passes
CREATE TEMP TABLE t (a int); TRUNCATE t;
--: rule truncate-cascade
--: fails
--: hint TRUNCATE orders; it fails
TRUNCATE orders CASCADE;
--: passes
TRUNCATE orders;
--: rule drop-cascade
--: fails
--: hint DROP VIEW totals; it fails
DROP VIEW totals CASCADE;
--: fails
ALTER TABLE orders DROP COLUMN note CASCADE;
--: fails
REVOKE SELECT ON orders FROM app CASCADE;
--: passes
DROP VIEW totals;
--: passes
CREATE TABLE t (a int); DROP TABLE t CASCADE;
--: rule drop-primary-key
--: fails
--: says orders loses its primary key
ALTER TABLE orders DROP CONSTRAINT orders_pkey;
--: passes
ALTER TABLE orders DROP CONSTRAINT positive;
--: passes
CREATE TABLE t (a int CONSTRAINT t_pkey PRIMARY KEY); ALTER TABLE t DROP CONSTRAINT t_pkey;
--: rule drop-constraint
--: fails
ALTER TABLE orders DROP CONSTRAINT positive;
--: passes
ALTER TABLE orders DROP CONSTRAINT positive, ADD CONSTRAINT positive CHECK (a > 1) NOT VALID;
--: passes
ALTER TABLE orders DROP CONSTRAINT orders_pkey;
--: rule drop-not-null
--: fails
--: says readers of orders.note may meet null
ALTER TABLE orders ALTER COLUMN note DROP NOT NULL;
--: passes
ALTER TABLE orders ALTER COLUMN note DROP DEFAULT;
--: rule drop-routine-or-view
--: fails
DROP VIEW totals;
--: fails
DROP FUNCTION touch();
--: fails
DROP TRIGGER touch ON orders;
--: fails
DROP SEQUENCE numbers;
--: passes
DROP VIEW totals; CREATE VIEW totals AS SELECT 1;
--: passes
DROP TRIGGER IF EXISTS touch ON orders;
CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
--: passes
CREATE VIEW v AS SELECT 1; DROP VIEW v;
--: rule drop-type
--: fails
--: says type mood is gone
DROP TYPE mood;
--: fails
--: says every column of type mood is dropped
DROP TYPE mood CASCADE;
--: fails
DROP DOMAIN email;
--: passes
CREATE TYPE mood AS ENUM ('a'); DROP TYPE mood;
--: rule rename-table
--: fails
--: hint CREATE VIEW orders AS SELECT * FROM purchases;
ALTER TABLE orders RENAME TO purchases;
--: fails
ALTER VIEW totals RENAME TO sums;
--: passes
CREATE TABLE orders_new (a int); ALTER TABLE orders_new RENAME TO purchases;
--: passes
ALTER TABLE orders RENAME TO purchases; CREATE VIEW orders AS SELECT * FROM purchases;
--: passes
ALTER TABLE orders RENAME TO orders_deprecated;
--: passes
CREATE TABLE orders_new (a int); ALTER TABLE orders RENAME TO orders_old; ALTER TABLE orders_new RENAME TO orders;
--: passes
ALTER INDEX a RENAME TO b;
--: rule rename-column
--: fails
--: says code that says orders.note fails
ALTER TABLE orders RENAME COLUMN note TO remark;
--: fails
ALTER TYPE address RENAME ATTRIBUTE zip TO postcode;
--: passes
CREATE TABLE t (a int); ALTER TABLE t RENAME a TO b;
--: rule rename-or-move-schema
--: fails
ALTER SCHEMA billing RENAME TO invoicing;
--: fails
--: hint CREATE VIEW public.orders AS SELECT * FROM archive.orders;
ALTER TABLE public.orders SET SCHEMA archive;
--: passes
CREATE TABLE t (a int); ALTER TABLE t SET SCHEMA archive;
--: rule rename-enum-value
--: fails
--: hint ALTER TYPE mood ADD VALUE 'glad';
ALTER TYPE mood RENAME VALUE 'happy' TO 'glad';
--: passes
ALTER TYPE mood ADD VALUE 'glad';
--: rule drop-and-recreate
--: fails
DROP TABLE IF EXISTS orders; CREATE TABLE orders (id int);
--: passes
DROP TABLE orders;
--: passes
CREATE TABLE orders (id int);
--: rule drop-name-convention
--: fails
--: hint ALTER TABLE orders RENAME TO orders_deprecated;
DROP TABLE orders;
--: passes
DROP TABLE orders_deprecated;
--: passes
--: set names = zz_*
DROP TABLE zz_orders;
--: fails
--: set names = zz_*
--: hint ALTER TABLE orders RENAME TO zz_orders;
DROP TABLE orders;
--: rule mutation-without-where
--: fails
--: says every row of orders is changed
UPDATE orders SET note = '';
--: fails
DELETE FROM orders WHERE true;
--: fails
DELETE FROM orders WHERE 1 = 1;
--: fails
WITH gone AS (DELETE FROM orders RETURNING id) SELECT count(*) FROM gone;
--: passes
UPDATE orders SET note = '' WHERE note IS NULL;
--: passes
CREATE TABLE t (a int); UPDATE t SET a = 1;
--: passes
CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'update orders set note = 1';
--: passes
--: wire
UPDATE orders SET note = '';
--: rule data-impact-assessed
--: fails
UPDATE orders SET note = '' WHERE note IS NULL;
--: passes
-- impact: 1200 rows
UPDATE orders SET note = '' WHERE note IS NULL;
--: passes
INSERT INTO orders (id) VALUES (1);
--: rule backup-before
--: fails
DROP TABLE orders;
--: fails
ALTER TABLE orders DROP COLUMN note;
--: passes
-- backup: s3://dumps/orders-0712
DROP TABLE orders;
--: passes
ALTER TABLE orders ADD COLUMN note text;
--: passes
CREATE TABLE orders_backup_13 AS TABLE orders; DROP TABLE orders;
--: fails
CREATE TABLE lines_backup_13 AS TABLE lines; DROP TABLE orders;
--: rule drop-index-in-use
--: live orders_a R public|orders_a|i|||||||
--: live orders_a T public|orders|r||||12884901888|80000000|0|k
--: live orders_a I:5 public|orders_a|btree|uv||0|8192|1234
--: live orders_b R public|orders_b|i|||||||
--: live orders_b T public|orders|r||||12884901888|80000000|0|k
--: live orders_b I:5 public|orders_b|btree|v||0|8192|0
--: fails
--: says index orders_a was used 1234 times
--: hint it also keeps its columns unique
DROP INDEX CONCURRENTLY orders_a;
--: passes
DROP INDEX orders_b;
--: passes
--: set min = 2000
DROP INDEX orders_a;
--: passes
CREATE INDEX orders_a ON t (a); DROP INDEX orders_a;
--: rule type-narrowing
--: live orders R public|orders|r||||8192|3|0|k
--: live orders C:1 id|int4|int4|integer|-1|n
--: live orders C:2 total|numeric|numeric|numeric(12,2)|786438|
--: live orders C:3 note|varchar|varchar|character varying(20)|24|
--: live orders C:4 at|timestamptz|timestamptz|timestamp with time zone|-1|
--: fails
--: says not every integer of public.orders.id fits into smallint
--: hint WHERE id IS DISTINCT FROM CAST(id AS smallint)
ALTER TABLE orders ALTER COLUMN id TYPE smallint;
--: fails
ALTER TABLE orders ALTER COLUMN total TYPE numeric(10,2);
--: fails
--: times 2
ALTER TABLE orders ALTER COLUMN note TYPE varchar(10), ALTER COLUMN at TYPE timestamptz(0);
--: passes
ALTER TABLE orders ALTER COLUMN id TYPE bigint, ALTER COLUMN total TYPE numeric(14,2), ALTER COLUMN note TYPE text;
--: passes
ALTER TABLE orders DROP COLUMN id; ALTER TABLE orders ADD COLUMN id bigint; ALTER TABLE orders ALTER COLUMN id TYPE int;
