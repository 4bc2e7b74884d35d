INSERT INTO schema_migrations VALUES ('99', 'x')

INSERT INTO schema_migrations (version, name) VALUES ('99', 'x') ON CONFLICT DO NOTHING

INSERT INTO public.schema_migrations (version, name) SELECT '99', 'x'

INSERT INTO ev_sch.schema_migrations VALUES ('99', 'x')

INSERT INTO "schema_migrations" TABLE ev_sch.ev_hist UNION SELECT '99', 'x'

INSERT INTO Schema_Migrations AS s (name, version) VALUES ('x', '99') RETURNING *

INSERT INTO U&"schema\005fmigrations" VALUES ('99', 'x')

INSERT INTO U&"schema!005fmigrations" UESCAPE '!' VALUES ('99', 'x')

INSERT INTO U&"\0073chema_migrations" (version, name) VALUES ('99', 'x')

INSERT INTO public . "schema_migrations" VALUES ('99', 'x')

INSERT/**/INTO/**/schema_migrations/**/VALUES/**/('99','x')

INSERT INTO ONLY schema_migrations VALUES ('99', 'x')
--: fails

UPDATE schema_migrations SET version = '99'
--: same

UPDATE ONLY public.schema_migrations * SET name = 'x'
--: fails

UPDATE schema_migrations AS s SET (version, name) = ('99', 'x') FROM ev_t
--: same

DELETE FROM schema_migrations
--: same

DELETE FROM ONLY schema_migrations USING ev_t WHERE a = 1
--: same

MERGE INTO schema_migrations s USING ev_t t ON s.version = t.b WHEN NOT MATCHED THEN INSERT (version, name) VALUES (t.b, 'x') WHEN MATCHED THEN DELETE

WITH q AS (INSERT INTO schema_migrations VALUES ('99', 'x') RETURNING 1) SELECT * FROM q

WITH q AS (INSERT INTO schema_migrations VALUES ('99', 'x') RETURNING *) INSERT INTO ev_t2 SELECT 1, name FROM q

WITH q AS (SELECT '99' AS v) INSERT INTO schema_migrations SELECT v, v FROM q

WITH RECURSIVE q AS (INSERT INTO schema_migrations VALUES ('99', 'x')) VALUES (1)

WITH q AS (WITH r AS (SELECT 1) SELECT 1), s AS (UPDATE schema_migrations SET name = 'y') SELECT 1
--: same

EXPLAIN ANALYZE INSERT INTO schema_migrations VALUES ('99', 'x')

EXPLAIN (ANALYZE) WITH q AS (INSERT INTO schema_migrations VALUES ('99', 'x')) SELECT 1

COPY (INSERT INTO schema_migrations VALUES ('99', 'x') RETURNING 1) TO STDOUT

COPY (WITH q AS (INSERT INTO schema_migrations VALUES ('99', 'x') RETURNING 1) TABLE q) TO STDOUT

--: simple
PREPARE p AS INSERT INTO schema_migrations VALUES ('99', 'x')
--;
EXECUTE p

--: simple
PREPARE p (text) AS INSERT INTO schema_migrations VALUES ($1, $1)
--;
EXECUTE p ('99')

--: simple
PREPARE p AS INSERT INTO schema_migrations VALUES ('99', 'x')
--;
EXPLAIN ANALYZE EXECUTE p

--: simple
SELECT 1; INSERT INTO schema_migrations VALUES ('99', 'x')

--: simple
SELECT 'a\'; INSERT INTO schema_migrations VALUES ('99', 'x'); --'

--: simple same
BEGIN; INSERT INTO schema_migrations VALUES ('99', 'x'); ROLLBACK

DO $$ BEGIN INSERT INTO schema_migrations VALUES ('99', 'x'); END $$

DO $$ BEGIN EXECUTE 'INSERT INTO schema_migrations VALUES (''99'', ''x'')'; END $$

DO $$ BEGIN EXECUTE 'INSERT INTO schema' || '_migrations VALUES (99, 1)'; END $$

DO $$ BEGIN INSERT INTO U&"schema\005fmigrations" VALUES ('99', 'x'); END $$

DO $$ BEGIN INSERT INTO U&"schema!005fmigrations" UESCAPE '!' VALUES ('99', 'x'); END $$

DO $$ BEGIN WITH q AS (INSERT INTO schema_migrations VALUES ('99', 'x') RETURNING 1) INSERT INTO ev_t2 SELECT 1; END $$

DO $$ DECLARE r record; BEGIN FOR r IN INSERT INTO schema_migrations VALUES ('99', 'x') RETURNING * LOOP NULL; END LOOP; END $$

DO $$ DECLARE v text; BEGIN INSERT INTO schema_migrations VALUES ('99', 'x') RETURNING version INTO v; END $$

DO $$ DECLARE v text; BEGIN v := 'x'; IF EXISTS (SELECT 1) THEN INSERT INTO public.schema_migrations VALUES ('99', v); END IF; END $$

DO $$ DECLARE t public.schema_migrations; BEGIN t.version := '99'; t.name := 'x'; INSERT INTO schema_migrations VALUES (t.version, t.name); END $$

DO $$ DECLARE insert boolean := true; BEGIN IF (CASE WHEN true THEN insert ELSE false END) THEN INSERT INTO schema_migrations VALUES ('99', 'x'); END IF; END $$

--: simple
CREATE TEMP VIEW ev_tmp AS SELECT version, name FROM schema_migrations
--;
INSERT INTO ev_tmp VALUES ('99', 'x')

--: simple
CREATE TEMP VIEW ev_tmp AS SELECT version, name FROM U&"schema!005fmigrations" UESCAPE '!'
--;
INSERT INTO ev_tmp VALUES ('99', 'x')

--: simple
CREATE TEMP TABLE ev_tmp (version text, name text)
--;
CREATE RULE r AS ON INSERT TO pg_temp.ev_tmp DO INSTEAD INSERT INTO public.schema_migrations VALUES (new.version, new.name)
--;
INSERT INTO ev_tmp VALUES ('99', 'x')

--: simple
CREATE FUNCTION pg_temp.f() RETURNS void LANGUAGE sql AS 'INSERT INTO public.schema_migrations VALUES (''99'', ''x'')'
--;
SELECT pg_temp.f()

--: simple
CREATE FUNCTION pg_temp.f() RETURNS void LANGUAGE sql BEGIN ATOMIC INSERT INTO public.schema_migrations VALUES ('99', 'x'); END
--;
SELECT pg_temp.f()

--: simple
CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN INSERT INTO U&"schema!005fmigrations" UESCAPE '!' VALUES ('99', 'x'); RETURN 1; END $$
--;
SELECT pg_temp.f()

--: simple same
CREATE TEMP TABLE schema_migrations (version text, name text)

--: simple same
CREATE TEMP VIEW schema_migrations AS SELECT '99' AS version, 'x' AS name

--: simple
SET search_path = ev_sch
--;
CREATE TEMP VIEW ev_tmp AS SELECT version, name FROM public.schema_migrations
--;
INSERT INTO ev_tmp VALUES ('99', 'x')

ALTER TABLE schema_migrations RENAME TO ev_n

ALTER TABLE schema_migrations ADD COLUMN x int

ALTER TABLE schema_migrations SET SCHEMA ev_sch
--: fails

DROP TABLE schema_migrations CASCADE

TRUNCATE schema_migrations
--: same

TRUNCATE ev_t2, schema_migrations
--: same

COPY schema_migrations (version, name) FROM STDIN

COPY schema_migrations FROM STDIN
--: fails

COPY "public"."schema_migrations" (version, name) FROM STDIN WITH (FORMAT csv, DELIMITER E'\t')

--: simple
SELECT 1; COPY schema_migrations (version, name) FROM STDIN; SELECT 2

COPY ev_sch.ev_hist FROM STDIN
--: fails

--: su fails
COPY schema_migrations FROM PROGRAM 'printf "99\tx\t2020-01-01\n"'

--: su fails
COPY schema_migrations FROM '/nonexistent'

CREATE RULE ev_n AS ON INSERT TO ev_t2 DO ALSO INSERT INTO schema_migrations VALUES ('99', 'x')

CREATE VIEW ev_n AS SELECT * FROM schema_migrations

CREATE TRIGGER ev_n BEFORE INSERT ON schema_migrations FOR EACH ROW EXECUTE FUNCTION ev_trg()
