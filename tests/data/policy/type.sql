--: rule prefer-text
--: fails
--: hint note text CHECK (length(note) <= 80)
CREATE TABLE t (note varchar(80));
--: passes
CREATE TABLE t (note text, v varchar);
--: rule ban-char
--: fails
ALTER TABLE t ADD COLUMN c char(3);
--: passes
ALTER TABLE t ADD COLUMN c text, ADD COLUMN d "char";
--: rule prefer-timestamptz
--: fails
--: hint made timestamptz
CREATE TABLE t (made timestamp);
--: fails
CREATE TYPE t AS (made timestamp without time zone);
--: passes
CREATE TABLE t (made timestamptz, made2 timestamp with time zone);
--: passes
SELECT now()::timestamp;
--: rule prefer-bigint-key
--: fails
CREATE TABLE t (id int PRIMARY KEY);
--: fails
CREATE TABLE t (id serial, PRIMARY KEY (id));
--: fails
ALTER TABLE t ADD COLUMN owner_id integer;
--: passes
CREATE TABLE t (id bigint PRIMARY KEY, n int, owner_id uuid);
--: rule prefer-identity
--: fails
CREATE TABLE t (id bigserial);
--: passes
CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY);
--: rule prefer-jsonb
--: fails
CREATE TABLE t (doc json);
--: passes
CREATE TABLE t (doc jsonb);
--: rule ban-money
--: fails
CREATE TABLE t (price money);
--: passes
CREATE TABLE t (price numeric(12,2));
--: rule numeric-without-precision
--: fails
CREATE TABLE t (price numeric);
--: fails
CREATE TABLE t (total_amount double precision);
--: passes
CREATE TABLE t (price numeric(12,2), score float8, n numeric);
--: rule type-disallow-list
--: set types = bytea, xml, inet=text
--: fails
CREATE TABLE t (doc xml);
--: fails
--: hint addr text
CREATE TABLE t (addr inet);
--: passes
CREATE TABLE t (doc text);
--: rule char-length-limit
--: fails
CREATE TABLE t (note varchar(4000));
--: passes
CREATE TABLE t (note varchar(200), x text);
--: passes
--: set max = 5000
CREATE TABLE t (note varchar(4000));
--: rule enum-value-order
--: fails
ALTER TYPE mood ADD VALUE 'glad';
--: passes
ALTER TYPE mood ADD VALUE 'glad' AFTER 'happy';
--: rule prefer-lookup-over-enum
--: fails
CREATE TYPE mood AS ENUM ('sad', 'ok');
--: passes
CREATE TYPE pair AS (a int, b int);
--: rule encoding-and-collation-list
--: fails
CREATE TABLE t (name text COLLATE "sv_SE");
--: fails
CREATE DATABASE shop ENCODING 'LATIN1';
--: passes
CREATE TABLE t (name text COLLATE "C");
--: passes
CREATE DATABASE shop ENCODING 'UTF8';
