--: rule unparsable-statement
--: fails
ALTER TABLE a FROBNICATE;
--: passes
ALTER TABLE a ADD COLUMN b int;
--: rule ddl-hidden-in-code
--: fails
DO $$begin create table a (); end$$;
--: fails
CALL migrate();
--: passes
DO $$begin perform 1; end$$;
--: rule grant-to-public
--: fails
GRANT SELECT ON orders TO PUBLIC;
--: fails
GRANT ALL ON orders TO app;
--: fails
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;
--: passes
GRANT SELECT, INSERT ON orders TO app;
--: passes
REVOKE ALL ON orders FROM PUBLIC;
--: rule role-attributes
--: fails
CREATE ROLE a SUPERUSER;
--: fails
ALTER ROLE a BYPASSRLS;
--: fails
GRANT a TO b WITH ADMIN OPTION;
--: passes
CREATE ROLE a LOGIN NOSUPERUSER;
--: rule password-literal
--: fails
CREATE ROLE a PASSWORD 'secret';
--: passes
CREATE ROLE a PASSWORD 'SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy';
--: passes
ALTER ROLE a PASSWORD NULL;
--: rule security-definer-search-path
--: fails
--: hint SET search_path = pg_catalog, pg_temp
CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'select 1';
--: passes
CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS 'select 1';
--: passes
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'select 1';
--: rule rls-required
--: fails
CREATE TABLE public.t (a int);
--: fails
--: says nobody sees a row
CREATE TABLE public.t (a int); ALTER TABLE public.t ENABLE ROW LEVEL SECURITY;
--: passes
CREATE TABLE public.t (a int); ALTER TABLE public.t ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON public.t USING (true);
--: passes
CREATE TABLE private.t (a int);
--: rule rls-disable
--: fails
ALTER TABLE t DISABLE ROW LEVEL SECURITY;
--: fails
DROP POLICY own ON t;
--: passes
DROP POLICY own ON t; CREATE POLICY own ON t USING (true);
--: rule alter-system
--: fails
ALTER SYSTEM SET work_mem = '1GB';
--: fails
ALTER DATABASE shop SET search_path = app;
--: fails
ALTER ROLE app SET statement_timeout = 0;
--: passes
SET work_mem = '1GB';
--: passes
ALTER DATABASE shop OWNER TO deploy;
--: rule guard-setting-change
--: fails
SET session_replication_role = replica;
--: fails
SET lock_timeout = 0;
--: passes
SET lock_timeout = '2s';
--: passes
--: wire
SET session_replication_role = replica;
--: rule set-role
--: fails
SET ROLE app;
--: passes
--: set names = deploy
SET ROLE deploy;
--: passes
RESET ROLE;
--: rule owner-change
--: fails
ALTER TABLE t OWNER TO app;
--: fails
ALTER FUNCTION f() OWNER TO app;
--: passes
--: set names = deploy, deploy_*
ALTER TABLE t OWNER TO deploy_ci;
--: passes
CREATE TABLE t (a int);
--: fails
--: set owner = deploy
--: hint ALTER ... t OWNER TO deploy; behind it.
CREATE TABLE t (a int);
--: fails
--: set owner = deploy
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
--: fails
--: set owner = deploy
CREATE TABLE t (a int); ALTER TABLE t OWNER TO app;
--: passes
--: set owner = deploy
CREATE TABLE t (a int); CREATE INDEX ON t (a); ALTER TABLE t OWNER TO deploy;
--: passes
--: set owner = deploy
SET ROLE deploy; CREATE TABLE t (a int);
--: fails
--: set owner = deploy
SET ROLE deploy; RESET ROLE; CREATE TABLE t (a int);
--: passes
--: set owner = deploy
CREATE SCHEMA s AUTHORIZATION deploy;
--: fails
--: set owner = deploy
CREATE SCHEMA s AUTHORIZATION app;
--: fails
--: set owner = deploy
CREATE TABLE p PARTITION OF t DEFAULT;
--: passes
--: set owner = deploy
SET SESSION AUTHORIZATION deploy; CREATE TABLE t (a int);
--: passes
--: set owner = deploy
CREATE TEMP TABLE t (a int);
--: rule copy-program-or-file
--: fails
COPY t FROM PROGRAM 'curl http://example.org';
--: fails
COPY t TO '/tmp/t.csv';
--: passes
COPY t FROM STDIN;
--: rule extension-list
--: fails
CREATE EXTENSION plpython3u;
--: passes
CREATE EXTENSION IF NOT EXISTS pgcrypto;
--: rule external-link
--: fails
CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p;
--: fails
CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw;
--: fails
CREATE PUBLICATION p FOR ALL TABLES;
--: passes
CREATE PUBLICATION p FOR TABLE t;
--: rule event-trigger-change
--: fails
CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION f();
--: fails
ALTER EVENT TRIGGER e DISABLE;
--: fails
DROP EVENT TRIGGER e;
--: passes
CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f();
--: rule create-rule
--: fails
CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING;
--: passes
DROP RULE r ON t;
