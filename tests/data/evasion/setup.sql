-- What the cases work on; run by the owner of the database.
CREATE TABLE ev_t (a int PRIMARY KEY, b text, c int NOT NULL DEFAULT 0, d date);
CREATE TABLE ev_t2 (a int, b text);
CREATE TABLE ev_part (a int, b text) PARTITION BY LIST (a);
CREATE TABLE ev_part1 PARTITION OF ev_part FOR VALUES IN (1);
CREATE TABLE ev_loose (a int, b text);
CREATE TABLE "order" (id int PRIMARY KEY, "comment" text, "do" int, "set" int, "into" int);
INSERT INTO ev_t VALUES (1, 'one', 1), (2, 'CREATE TABLE ev_n (a int)', 2);
INSERT INTO "order" VALUES (1, 'first', 1, 1, 1);
CREATE VIEW ev_v AS SELECT a, b FROM ev_t;
CREATE VIEW ev_ta AS SELECT a FROM ev_t2;
CREATE MATERIALIZED VIEW ev_mv AS SELECT 1 AS one;
CREATE UNIQUE INDEX ev_mv_i ON ev_mv (one);
CREATE SEQUENCE ev_s;
CREATE TYPE ev_enum AS ENUM ('x', 'y');
CREATE TYPE ev_pair AS (x int, y int);
CREATE DOMAIN ev_dom AS int CONSTRAINT ev_dom_c CHECK (VALUE > 0);
CREATE INDEX ev_i ON ev_t (b);
CREATE INDEX ev_part_i ON ONLY ev_part (b);
CREATE INDEX ev_part1_i ON ev_part1 (b);
CREATE FUNCTION ev_f(int) RETURNS int LANGUAGE sql AS 'SELECT $1';
CREATE PROCEDURE ev_p() LANGUAGE plpgsql AS 'BEGIN NULL; END';
CREATE FUNCTION ev_trg() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER ev_tr BEFORE INSERT ON ev_t2 FOR EACH ROW EXECUTE FUNCTION ev_trg();
CREATE RULE ev_r AS ON UPDATE TO ev_t2 DO ALSO NOTIFY ev;
CREATE POLICY ev_pol ON ev_t2 USING (true);
CREATE SCHEMA ev_sch;
CREATE STATISTICS ev_st ON a, c FROM ev_t;
CREATE AGGREGATE ev_agg (int) (sfunc = int4pl, stype = int);
CREATE OPERATOR === (leftarg = int, rightarg = int, function = int4eq);
CREATE COLLATION ev_coll FROM "C";
CREATE TEXT SEARCH CONFIGURATION ev_ts (COPY = pg_catalog.english);
CREATE TEXT SEARCH DICTIONARY ev_td (TEMPLATE = simple);
CREATE PUBLICATION ev_pub FOR TABLE ev_t2;
CREATE CAST (ev_pair AS text) WITH INOUT;
-- Code that runs any text: what it is told to do is out of the gate's sight.
CREATE FUNCTION ev_do(text) RETURNS int LANGUAGE plpgsql AS 'BEGIN EXECUTE $1; RETURN 1; END';
CREATE PROCEDURE ev_do_p(text) LANGUAGE plpgsql AS 'BEGIN EXECUTE $1; END';
CREATE TABLE ev_inbox (sql text);
CREATE FUNCTION ev_inbox_run() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN EXECUTE NEW.sql; RETURN NEW; END';
CREATE TRIGGER ev_inbox_tr AFTER INSERT ON ev_inbox FOR EACH ROW EXECUTE FUNCTION ev_inbox_run();
CREATE TABLE schema_migrations (version text PRIMARY KEY, name text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE ev_sch.schema_migrations (version text PRIMARY KEY, name text NOT NULL);
CREATE VIEW ev_sch.ev_hist AS SELECT version, name FROM public.schema_migrations;
