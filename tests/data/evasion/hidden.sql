--# SELECT INTO in odd places
SELECT INTO ev_n

SELECT INTO ev_n FROM ev_t

SELECT * INTO TABLE ev_n FROM ev_t

SELECT a INTO UNLOGGED ev_n FROM ev_t UNION SELECT 2

SELECT a INTO UNLOGGED TABLE public.ev_n FROM ev_t EXCEPT SELECT 2

WITH q AS (SELECT 1 AS a) SELECT * INTO ev_n FROM q

WITH q AS (INSERT INTO ev_t2 VALUES (1) RETURNING a) SELECT * INTO ev_n FROM q

WITH RECURSIVE q AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM q WHERE a < 3) SELECT a INTO ev_n FROM q

WITH q AS (SELECT 1 AS a), insert AS (SELECT 2 AS b) SELECT a, b INTO ev_n FROM q, insert

(SELECT 1 AS a INTO ev_n)

((((SELECT 1 AS a INTO ev_n))))

(SELECT 1 AS a INTO ev_n) UNION SELECT 2

((SELECT 1 AS a INTO ev_n) UNION SELECT 2) ORDER BY 1 LIMIT 1

SELECT insert INTO ev_n FROM (SELECT 1 AS insert) x

SELECT 1 AS insert INTO ev_n

SELECT 1 AS "insert" INTO "ev_n"

SELECT 'INSERT INTO x' AS a INTO ev_n

SELECT $$INSERT INTO x$$ AS a INTO ev_n

SELECT /* insert */ 1 AS a /* into */ INTO /* x */ ev_n

SELECT a--
INTO--
ev_n--
FROM ev_t

SELECT DISTINCT ON (a) a, b INTO ev_n FROM ev_t ORDER BY a, b

SELECT a, count(*) AS n INTO ev_n FROM ev_t GROUP BY ROLLUP (a) HAVING count(*) > 0 WINDOW w AS (ORDER BY a)

SELECT a INTO ev_n FROM ev_t FOR UPDATE
--: fails

SELECT 1 AS "into" INTO ev_n

SELECT "into"."into" INTO ev_n FROM "order" AS "into"

SELECT"a"INTO"ev_n"FROM"ev_t"

SELECT 1AS a INTO ev_n
--: fails

SELECT .5AS a INTO ev_n
--: fails

SELECT(1)INTO ev_n

SELECT'x'INTO ev_n

SELECT*INTO ev_n FROM ev_t

SELECT 1 AS a INTO U&"\0065v_n"

SELECT 1 AS a INTO U&"!0065v_n" UESCAPE '!'

EXPLAIN ANALYZE SELECT 1 AS a INTO ev_n

EXPLAIN (ANALYZE) SELECT 1 AS a INTO ev_n

EXPLAIN (ANALYZE true, COSTS off, FORMAT json) SELECT 1 AS a INTO ev_n

EXPLAIN (COSTS off, ANALYZE 1) SELECT 1 AS a INTO ev_n

EXPLAIN ANALYZE VERBOSE CREATE TABLE ev_n AS SELECT 1 AS a

EXPLAIN ANALYSE CREATE TABLE IF NOT EXISTS ev_n AS SELECT 1 AS a

EXPLAIN (ANALYZE 'on') CREATE MATERIALIZED VIEW ev_n AS SELECT 1 AS a

EXPLAIN/**/ANALYZE/**/(SELECT 1 AS a INTO ev_n)

--: same
EXPLAIN SELECT 1 AS a INTO ev_n

--: same
EXPLAIN CREATE TABLE ev_n AS SELECT 1 AS a

--# prepared statements
--: simple
PREPARE p AS SELECT 1 AS a INTO ev_n
--;
EXECUTE p

--: simple
PREPARE p (int) AS WITH q AS (SELECT $1 AS a) SELECT * INTO ev_n FROM q
--;
EXECUTE p (5)

--: simple
PREPARE p AS SELECT 1 AS a INTO ev_n; EXECUTE p; DEALLOCATE p

--: simple
PREPARE "P" AS SELECT 1 AS a INTO ev_n
--;
EXECUTE "P"

--: simple
PREPARE p AS SELECT 42 AS a
--;
CREATE TABLE ev_n AS EXECUTE p

--: simple
PREPARE p AS SELECT 42 AS a
--;
CREATE TABLE IF NOT EXISTS ev_n AS EXECUTE p WITH DATA

--: simple
PREPARE p AS SELECT 42 AS a
--;
EXPLAIN ANALYZE CREATE TABLE ev_n AS EXECUTE p

--: simple
PREPARE p (int) AS SELECT $1 AS a
--;
CREATE UNLOGGED TABLE ev_n AS EXECUTE p (1)

--: simple
PREPARE p AS SELECT 1 AS a INTO ev_n
--;
EXPLAIN ANALYZE EXECUTE p

--: simple
PREPARE p AS VALUES (1)
--;
CREATE TABLE ev_n AS EXECUTE p; SELECT 1

--# DO
DO $$ BEGIN CREATE TABLE ev_n (a int); END $$

DO 'BEGIN CREATE TABLE ev_n (a int); END'

DO $x$BEGIN CREATE TABLE ev_n (a int);END$x$

DO LANGUAGE plpgsql 'BEGIN CREATE TABLE ev_n (a int); END'

DO 'BEGIN CREATE TABLE ev_n (a int); END' LANGUAGE "plpgsql"

DO LANGUAGE 'plpgsql' $$BEGIN CREATE TABLE ev_n (a int); END$$

DO 'BEGIN '
'CREATE TABLE ev_n (a int); END'

DO E'BEGIN CREA\x54E TABLE ev_n (a int); END'

DO E'BEGIN\nCREA\124E\u0020TABLE ev_n (a int);\nEND'

DO U&'BEGIN CREA\0054E TABLE ev_n (a int); END'

DO U&'BEGIN CREA!0054E TABLE ev_n (a int); END' UESCAPE '!'

DO $$ BEGIN EXECUTE 'CREATE TABLE ev_n (a int)'; END $$

DO $$ BEGIN EXECUTE'CREATE TABLE ev_n (a int)'; END $$

DO $$ BEGIN EXECUTE $q$CREATE TABLE ev_n (a int)$q$; END $$

DO $$ BEGIN EXECUTE 'CREATE'
 ' TABLE ev_n (a int)'; END $$

DO $$ BEGIN EXECUTE E'\103REATE TABLE ev_n (a int)'; END $$

DO $$ BEGIN EXECUTE U&'CREA\0054E TABLE ev_n (a int)'; END $$

DO $$ BEGIN EXECUTE U&'CREA!0054E TABLE ev_n (a int)' UESCAPE '!'; END $$

DO $$ BEGIN EXECUTE 'CREATE' || ' TABLE ev_n (a int)'; END $$

DO $$ BEGIN EXECUTE ('CREATE TABLE ev_n (a int)'); END $$

DO $$ BEGIN EXECUTE 'CREATE TABLE ev_n (a int)'::text; END $$

DO $$ BEGIN EXECUTE format('%s TABLE ev_n (a int)', 'CRE' || 'ATE'); END $$

DO $$ BEGIN EXECUTE chr(67) || chr(82) || 'EATE TABLE ev_n (a int)'; END $$

DO $$ BEGIN EXECUTE reverse(')tni a( n_ve ELBAT ETAERC'); END $$

DO $$ BEGIN EXECUTE convert_from(decode('435245415445205441424c452065765f6e20286120696e7429', 'hex'), 'UTF8'); END $$

DO $$ BEGIN EXECUTE (SELECT b FROM ev_t WHERE a = 2); END $$

DO $$ DECLARE x text; BEGIN SELECT b INTO x FROM ev_t WHERE a = 2; EXECUTE x; END $$

DO $$ DECLARE x text := 'CREATE TABLE ev_n (a int)'; BEGIN EXECUTE x; END $$

DO $$ BEGIN EXECUTE 'SELECT 1; CREATE TABLE ev_n (a int)'; END $$

DO $$ BEGIN EXECUTE 'DO ''BEGIN CREATE TABLE ev_n (a int); END'''; END $$

DO $$ BEGIN EXECUTE 'DO $q$ BEGIN EXECUTE ''CREATE TABLE ev_n (a int)''; END $q$'; END $$

DO $a$ BEGIN DO $b$ BEGIN DO $c$ BEGIN CREATE TABLE ev_n (a int); END $c$; END $b$; END $a$

DO $$ BEGIN EXECUTE 'CREATE TABLE ev_n AS SELECT $1 AS a' USING 1; END $$
--: fails

DO $$ BEGIN EXECUTE 'SELECT 1 AS a INTO ev_n'; END $$
--: fails

DO $$ DECLARE x int; BEGIN EXECUTE 'CREATE TABLE ev_n (a int)' INTO x; END $$
--: fails

DO $$ BEGIN IF true THEN CREATE TABLE ev_n (a int); END IF; END $$

DO $$ BEGIN IF false THEN NULL; ELSE CREATE TABLE ev_n (a int); END IF; END $$

DO $$ BEGIN IF false THEN NULL; ELSIF true THEN CREATE TABLE ev_n (a int); END IF; END $$

DO $$ BEGIN CASE 1 WHEN 1 THEN CREATE TABLE ev_n (a int); END CASE; END $$

DO $$ BEGIN CASE WHEN false THEN NULL; ELSE DROP TABLE ev_loose; END CASE; END $$

DO $$ BEGIN LOOP CREATE TABLE ev_n (a int); EXIT; END LOOP; END $$

DO $$ BEGIN FOR i IN 1..1 LOOP CREATE TABLE ev_n (a int); END LOOP; END $$

DO $$ DECLARE r record; BEGIN FOR r IN SELECT 1 LOOP DROP TABLE ev_loose; END LOOP; END $$

DO $$ DECLARE x int; BEGIN FOREACH x IN ARRAY ARRAY[1] LOOP DROP TABLE ev_loose; END LOOP; END $$

DO $$ BEGIN WHILE true LOOP DROP TABLE ev_loose; EXIT; END LOOP; END $$

DO $$ <<lbl>> BEGIN <<inner>> BEGIN DROP TABLE ev_loose; END; END $$

DO $$ BEGIN <<x>> LOOP EXIT; END LOOP; <<y>>DROP TABLE ev_loose; END $$
--: fails

DO $$ BEGIN PERFORM 1 / 0; EXCEPTION WHEN division_by_zero THEN CREATE TABLE ev_n (a int); END $$

DO $$ BEGIN BEGIN PERFORM 1 / 0; EXCEPTION WHEN others THEN DROP TABLE ev_loose; END; END $$

DO $$ #variable_conflict use_column
BEGIN DROP TABLE ev_loose; END $$

DO $$DECLARE a int;BEGIN a:=1;DROP TABLE ev_loose;END$$

DO $$DECLARE "begin" int; BEGIN "begin" := 1; ALTER TABLE ev_t2 ADD e int; END$$

DO $$ BEGIN /* ; */ COMMENT /* x */ ON TABLE ev_t IS 'x'; END $$

DO $$ BEGIN GRANT SELECT ON ev_t TO intern; END $$

DO $$ BEGIN REVOKE ALL ON ev_t FROM CURRENT_USER; END $$

DO $$ BEGIN EXECUTE 'PREPARE p AS SELECT 1 AS a INTO ev_n'; END $$
--;
EXECUTE p

DO $$ BEGIN PREPARE p AS CREATE TABLE ev_n AS SELECT 1; END $$
--: fails

DO $$ BEGIN REASSIGN OWNED BY app TO app; END $$
--: fails

DO $$ BEGIN CALL ev_do_p('CREATE TABLE ev_n (a int)'); END $$

--: simple own
DO $$ BEGIN COMMIT; CREATE TABLE ev_n (a int); END $$

--# words that are names in PL/pgSQL: nothing of what follows them is a query
DO $$ DECLARE insert boolean := true; BEGIN IF (CASE WHEN true THEN insert ELSE false END) THEN CREATE TABLE ev_n (a int); END IF; END $$

DO $$ DECLARE update boolean := true; BEGIN IF (CASE WHEN true THEN update ELSE false END) THEN DROP TABLE ev_loose; END IF; END $$

DO $$ DECLARE delete boolean := true; BEGIN WHILE CASE WHEN false THEN false ELSE delete END LOOP DROP TABLE ev_loose; EXIT; END LOOP; END $$

DO $$ DECLARE copy boolean := true; BEGIN IF (CASE WHEN true THEN copy ELSE false END) THEN DROP TABLE ev_loose; END IF; END $$

DO $$ DECLARE lock boolean := true; BEGIN IF (CASE WHEN true THEN lock ELSE false END) THEN EXECUTE 'DROP TABLE ' || 'ev_loose'; END IF; END $$

DO $$ DECLARE set boolean := true; BEGIN IF (CASE WHEN true THEN set ELSE false END) THEN EXECUTE 'DROP TABLE ' || 'ev_loose'; END IF; END $$

DO $$ DECLARE explain boolean := true; BEGIN IF (CASE WHEN true THEN explain ELSE false END) THEN DROP TABLE ev_loose; END IF; END $$

DO $$ DECLARE truncate boolean := true; BEGIN IF (CASE WHEN true THEN truncate ELSE false END) THEN DROP TABLE ev_loose; END IF; END $$

DO $$ DECLARE perform boolean := true; BEGIN IF (CASE WHEN true THEN perform ELSE false END) THEN DROP TABLE ev_loose; END IF; END $$

DO $$ DECLARE call int := 1; BEGIN FOR i IN 1..(CASE WHEN true THEN call ELSE 0 END) LOOP DROP TABLE ev_loose; END LOOP; END $$

--# a SELECT INTO that PL/pgSQL takes for SQL
DO $$ DECLARE r record; BEGIN FOR r IN EXPLAIN ANALYZE SELECT 1 AS a INTO ev_n LOOP NULL; END LOOP; END $$

DO $$ DECLARE c refcursor; r record; BEGIN OPEN c FOR EXPLAIN ANALYZE SELECT 1 AS a INTO ev_n; FETCH c INTO r; END $$

DO $$ DECLARE c CURSOR FOR EXPLAIN (ANALYZE) SELECT 1 AS a INTO ev_n; r record; BEGIN OPEN c; FETCH c INTO r; END $$

DO $$ DECLARE r record; BEGIN FOR r IN EXPLAIN ANALYZE CREATE TABLE ev_n AS SELECT 1 AS a LOOP NULL; END LOOP; END $$

--# string constants whose meaning changes before they are read
DO $$ BEGIN SET LOCAL standard_conforming_strings = off; EXECUTE '\103REATE TABLE ev_n (a int)'; END $$

DO $$ BEGIN PERFORM set_config('standard_conforming_strings', 'off', true); EXECUTE '\x44ROP TABLE ev_loose'; END $$

DO $$ BEGIN UPDATE pg_settings SET setting = 'off' WHERE name = 'standard_conforming_strings'; EXECUTE '\x44ROP TABLE ev_loose'; END $$

--: simple
SET standard_conforming_strings = off
--;
DO $$ BEGIN EXECUTE '\103REATE TABLE ev_n (a int)'; END $$

--: simple
SET standard_conforming_strings = off
--;
DO '\102EGIN CREATE TABLE ev_n (a int); END'

--: simple
SET standard_conforming_strings = off
--;
SELECT 'a\\'; DROP TABLE ev_loose

--: simple
SET standard_conforming_strings TO 'off'; SELECT 1
--;
SELECT 'a\\'; DROP TABLE ev_loose; --'

--: simple
SELECT set_config('standard_conforming_strings', 'off', false)
--;
SELECT 'a\\'; DROP TABLE ev_loose; --'

--: simple
UPDATE pg_settings SET setting = 'off' WHERE name = 'standard_conforming_strings'
--;
SELECT 'a\\'; DROP TABLE ev_loose; --'

--: simple
BEGIN; SET LOCAL standard_conforming_strings = off
--;
COMMIT
--;
SELECT 'a\'; DROP TABLE ev_loose; --'

--: simple
SET standard_conforming_strings = off
--;
RESET ALL
--;
SELECT 'a\'; DROP TABLE ev_loose; --'

--: simple
SET standard_conforming_strings = off
--;
DISCARD ALL
--;
SELECT 'a\'; DROP TABLE ev_loose; --'

--: simple
SET backslash_quote = on
--;
SET standard_conforming_strings = off
--;
SELECT 'a\''; DROP TABLE ev_loose; SELECT ''

--: simple
SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE
--;
SELECT 'a\'; DROP TABLE ev_loose; --'

--# string constants and comments that end elsewhere than they seem to
--: simple
SELECT 'a\'; DROP TABLE ev_loose; --'

--: simple
SELECT 'a' AS "a\"; DROP TABLE ev_loose; --"

--: simple
SELECT E'\''; DROP TABLE ev_loose; --'

--: simple
SELECT E'\\'; DROP TABLE ev_loose; --'

--: simple
SELECT e'\\\''; DROP TABLE ev_loose; SELECT ''

--: fails simple
SELECT E'\\'; DROP TABLE ev_loose; --\''; --'

--: simple
SELECT E'a'
'\'; DROP TABLE ev_loose; --'; DROP TABLE ev_loose; --'

--: simple
SELECT 'a'
'b\'; DROP TABLE ev_loose; --'

--: simple
SELECT 'a' -- '
'b'; DROP TABLE ev_loose

--: simple fails
SELECT 'a' /*
*/ 'b'; DROP TABLE ev_loose

--: simple
SELECT n'\'; DROP TABLE ev_loose; --'

--: simple
SELECT B'1', X'1f'; DROP TABLE ev_loose

--: simple fails
SELECT B'\'; DROP TABLE ev_loose; --'

--: simple
SELECT U&'!'; DROP TABLE ev_loose; --'

--: simple fails
SELECT U&'\'; DROP TABLE ev_loose; --'

--: simple
SELECT U&'!!' UESCAPE '!'; DROP TABLE ev_loose

--: simple fails
SELECT U&'a' UESCAPE ''''; DROP TABLE ev_loose

--: simple
SELECT $a$ $b$ ; $a$; DROP TABLE ev_loose; SELECT $a$ $a$

--: simple
SELECT $$ $a$ $$; DROP TABLE ev_loose; SELECT $$ $a$ $$

--: simple
SELECT $a$ $A$ ; $a$; DROP TABLE ev_loose

--: simple
SELECT $é$ $e$ ; $é$; DROP TABLE ev_loose

--: simple
SELECT $_a1$ ' $_a1$; DROP TABLE ev_loose

--: simple
SELECT $a$ $a $a$; DROP TABLE ev_loose; SELECT $a$ $a $a$

--: simple
SELECT 1 AS a$b$; DROP TABLE ev_loose; SELECT 1 AS a$b$

--: simple
SELECT 1 AS é$b$; DROP TABLE ev_loose; SELECT 1 AS é$b$

--: simple
SELECT 1 AS a$$; DROP TABLE ev_loose; SELECT 1 AS a$$

--: simple
SELECT 1 AS _$$; DROP TABLE ev_loose; SELECT 1 AS _$$

--: simple fails
SELECT $1$; DROP TABLE ev_loose; SELECT $1$

--: simple fails
SELECT 1$a$; DROP TABLE ev_loose; SELECT 1$a$

--: simple
SELECT 1 /* ' */; DROP TABLE ev_loose /* ' */

--: simple
SELECT 1 /* /* ' */ ' */; DROP TABLE ev_loose; --' */

--: simple
SELECT 1 /*/ ' */; DROP TABLE ev_loose; /*/ ' */

--: simple
SELECT 1 /**/; DROP TABLE ev_loose; /**/

--: simple
SELECT 1 /***/; DROP TABLE ev_loose; /***/

--: simple
SELECT 1 -- /*
; DROP TABLE ev_loose -- */

--: simple
SELECT 1 --; /*
; DROP TABLE ev_loose; --*/

--: simple
SELECT 2 *-- 3
1; DROP TABLE ev_loose

--: simple
SELECT 3 <--'
4; DROP TABLE ev_loose; --'

--: simple
SELECT 1 +/*;*/1; DROP TABLE ev_loose

--: simple
SELECT 4 */* ' */ 2; DROP TABLE ev_loose; --'

--: simple escaped
SELECT 1 --\r; DROP TABLE ev_loose

--: simple escaped
SELECT 1 -- '\r; DROP TABLE ev_loose; --'

--: simple escaped
SELECT 'a'\r'b'; DROP TABLE ev_loose

--: simple escaped
SELECT 'a'\x0c\n'b'; DROP TABLE ev_loose

--: escaped
DROP\tTABLE\x0cev_loose

--: escaped
\r\nDROP\r\nTABLE\r\nev_loose\r\n

--: escaped fails
DROP\x0bTABLE ev_loose

--: escaped fails
\x0bDROP TABLE ev_loose

--: escaped fails simple
SELECT 1;\x0bDROP TABLE ev_loose

--: escaped fails
DROP\xa0TABLE ev_loose

--: escaped fails
\ufeffDROP TABLE ev_loose

--: escaped fails
DROP \u200bTABLE ev_loose

--: escaped fails
\xa0DROP TABLE ev_loose

--: escaped simple fails
SELECT 1;\x1bDROP TABLE ev_loose

--: escaped simple fails
SELECT 1;\x7fDROP TABLE ev_loose

--: escaped fails
\u017fELECT 1 AS a INTO ev_n

dRoP tAbLe ev_loose

DROP/**/TABLE/**/ev_loose

/* x */DROP/* /* y */ */TABLE--z
ev_loose--

/*/**/*/DROP TABLE ev_loose

--
DROP TABLE ev_loose

-- SELECT 1; /*
DROP TABLE ev_loose -- */

DROP TABLE"ev_loose"

DROP TABLE public."ev_loose"

DROP TABLE U&"\0065v_loose"

DROP TABLE U&"ev!005floose" UESCAPE '!'

DROP TABLE public . ev_loose

DROP TABLE/*
*/ev_loose

;DROP TABLE ev_loose

;;;;;DROP TABLE ev_loose;;;;;

 ; /* */ ; -- x
; DROP TABLE ev_loose ; ;

--: simple
SELECT 1;DROP TABLE ev_loose

--: simple
SELECT 1;;DROP TABLE ev_loose;SELECT 2

--: simple
BEGIN;DROP TABLE ev_loose;COMMIT

--: simple
BEGIN; COMMIT; DROP TABLE ev_loose

--: simple
COMMIT; BEGIN; DROP TABLE ev_loose; END

--: simple
START TRANSACTION; SAVEPOINT a; DROP TABLE ev_loose; RELEASE a; COMMIT WORK

--: simple
BEGIN; SELECT 1 / 0; ROLLBACK; DROP TABLE ev_loose
--: fails

--: simple
BEGIN
--;
SELECT 1 / 0
--;
ROLLBACK; DROP TABLE ev_loose

--: simple
BEGIN
--;
SELECT 1 / 0
--;
COMMIT AND CHAIN; DROP TABLE ev_loose; COMMIT

--: simple
SAVEPOINT a
--;
BEGIN; SAVEPOINT a
--;
ROLLBACK TO a; DROP TABLE ev_loose; COMMIT

--: simple
SELECT (1; DROP TABLE ev_loose
--: fails

--: simple fails
SELECT 1); DROP TABLE ev_loose

--: simple
CREATE TEMP TABLE ev_tmp (a int); DROP TABLE ev_loose

--: simple
EXPLAIN SELECT 1; DROP TABLE ev_loose

--: simple
LISTEN ev; NOTIFY ev, 'DROP'; DROP TABLE ev_loose

--: simple
DECLARE c CURSOR WITH HOLD FOR SELECT 1; DROP TABLE ev_loose

--: simple
LOCK TABLE ev_loose; DROP TABLE ev_loose

--: simple
VALUES (1); TABLE ev_t; DROP TABLE ev_loose

--: simple
SELECT 1 AS begin, 2 AS atomic; DROP TABLE ev_loose; SELECT 3 AS end

--: simple
SELECT 1 AS "create", 2 AS begin; DROP TABLE ev_loose

--: simple
CREATE TEMP TABLE ev_tmp (begin int, atomic int); DROP TABLE ev_loose

--: simple
CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END; DROP TABLE ev_loose

--: simple
CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END; DROP TABLE ev_loose

--: simple
CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1 AS begin; SELECT 2 AS case; END; DROP TABLE ev_loose

--: simple
CREATE FUNCTION pg_temp.f(begin int, atomic int) RETURNS int LANGUAGE sql AS 'SELECT 1'; DROP TABLE ev_loose

--: simple
CREATE FUNCTION pg_temp."begin atomic"() RETURNS int LANGUAGE sql AS 'SELECT 1'; DROP TABLE ev_loose; END

--: simple fails
CREATE TEMP VIEW ev_tmp AS SELECT 1 AS a; DROP VIEW ev_tmp, ev_v

--# newer syntax beside a change
--: simple fails
SELECT 0x1F; DROP TABLE ev_loose

--: simple fails
SELECT 1_000; DROP TABLE ev_loose

--: simple fails
SELECT * FROM JSON_TABLE('[1]', '$[*]' COLUMNS (a int PATH '$')); DROP TABLE ev_loose

--: simple fails
MERGE INTO ev_t USING ev_t2 s ON false WHEN NOT MATCHED THEN INSERT VALUES (1) RETURNING *; DROP TABLE ev_loose

--: fails
SELECT * INTO ev_n FROM JSON_TABLE('[1]', '$[*]' COLUMNS (a int PATH '$'))

--: fails
SELECT 0x1F AS a INTO ev_n

--: fails
ALTER TABLE ev_t ALTER COLUMN a SET EXPRESSION AS (1)

--: fails
CREATE TABLE ev_n (a int NOT ENFORCED GENERATED VIRTUAL)

--: fails
ALTER TABLE ev_part SPLIT PARTITION ev_part1 INTO (PARTITION x FOR VALUES IN (1), PARTITION y FOR VALUES IN (3))

--: fails
CREATE PROPERTY GRAPH ev_n VERTEX TABLES (ev_t)

--: fails
REPACK ev_t

--: fails
CREATE WHATEVER ev_n FROM THE FUTURE

--: fails simple
SELECT 1 FROM THE FUTURE WITH NEW SYNTAX; DROP TABLE ev_loose

--# temporary things that are more than that
--: simple
CREATE TEMP TABLE ev_tmp (a int); DROP TABLE pg_temp.ev_tmp, ev_loose

--: simple
CREATE TEMP TABLE ev_t (a int)
--;
DROP TABLE public.ev_loose

--# the gate lets the server look for a temporary table of that name, and only for that
--: simple fails
CREATE TEMP TABLE ev_loose (a int)
--;
DROP TABLE pg_temp.ev_loose
--;
DROP TABLE ev_loose

--: simple fails
BEGIN; CREATE TEMP TABLE ev_loose (a int)
--;
ROLLBACK
--;
DROP TABLE ev_loose

--: simple
CREATE TEMP TABLE ev_tmp () INHERITS (ev_t2)

--: simple
CREATE TEMP TABLE ev_tmp (a int, b text)
--;
ALTER TABLE pg_temp.ev_tmp INHERIT ev_t2

--: simple
CREATE TEMP TABLE ev_tmp (a int); GRANT SELECT ON pg_temp.ev_tmp, ev_t TO intern

--: simple
CREATE TYPE pg_temp.ev_tt AS (a int); DROP TYPE pg_temp.ev_tt, ev_pair CASCADE

--: simple
CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DROP TABLE ev_loose; RETURN 1; END $$; SELECT pg_temp.f()

--: simple
CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DROP TABLE ev_loose; RETURN 1; END $$
--;
SELECT pg_temp.f()

--: simple
CREATE FUNCTION pg_temp.f() RETURNS void LANGUAGE sql AS 'DROP TABLE ev_loose'
--;
SELECT pg_temp.f()

--: simple
CREATE FUNCTION pg_temp.f(text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN EXECUTE $1; RETURN 1; END $$
--;
SELECT pg_temp.f('DROP TABLE ev_loose')

--: simple
CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE plpgsql SET standard_conforming_strings = off AS $$ BEGIN EXECUTE '\104ROP TABLE ev_loose'; RETURN 1; END $$
--;
SELECT pg_temp.f()

--: simple
CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN EXECUTE '\104ROP TABLE ev_loose'; RETURN 1; END $$
--;
SET standard_conforming_strings = off
--;
SELECT pg_temp.f()

--: simple
CREATE FUNCTION pg_temp.f() RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXPLAIN ANALYZE SELECT 1 AS a INTO ev_n; END $$
--;
SELECT pg_temp.f()

--: simple fails
CREATE FUNCTION pg_temp.f() RETURNS SETOF text LANGUAGE sql AS 'EXPLAIN ANALYZE SELECT 1 AS a INTO ev_n'
--;
SELECT pg_temp.f()

--: simple
CREATE FUNCTION pg_temp.f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DROP TABLE ev_loose; RETURN NEW; END $$
--;
CREATE TEMP TABLE ev_tmp (a int)
--;
CREATE TRIGGER ev_n AFTER INSERT ON pg_temp.ev_tmp EXECUTE FUNCTION pg_temp.f()
--;
INSERT INTO ev_tmp VALUES (1)

--: simple
CREATE FUNCTION pg_temp.f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$
--;
CREATE TRIGGER ev_n AFTER INSERT ON ev_t EXECUTE FUNCTION pg_temp.f()

--: simple
CREATE STATISTICS pg_temp.ev_n ON a, c FROM ev_t

--: simple
CREATE TYPE pg_temp.a AS (x int)
--;
CREATE CAST (pg_temp.a AS ev_pair) WITH INOUT

--: simple
CREATE TYPE pg_temp.a AS (x int)
--;
CREATE FUNCTION public.ev_n(pg_temp.a) RETURNS int LANGUAGE sql AS 'SELECT 1'

--: simple
CREATE TEMP SEQUENCE ev_tmp
--;
ALTER TABLE ev_t ALTER COLUMN c SET DEFAULT nextval('ev_s')

--: simple
SET search_path = pg_temp, public
--;
CREATE TYPE ev_n AS (a int)
--;
CREATE FUNCTION public.ev_n() RETURNS int LANGUAGE sql AS 'SELECT 1'

--: simple fails
GRANT ALL ON SCHEMA pg_temp TO PUBLIC

--: su
COPY (SELECT 1) TO PROGRAM 'psql -c "DROP TABLE ev_loose"'
--: fails

--# a temporary name beside, before or inside of a permanent one
--: simple fails
CREATE TEMP TABLE ev_loose (a int)
--;
DROP TABLE pg_temp.ev_loose; DROP TABLE ev_loose

--: simple
CREATE TEMP TABLE ev_loose (a int)
--;
DROP TABLE ev_loose, ev_t2 CASCADE

--: simple fails
CREATE TEMP TABLE ev_loose (a int)
--;
DROP TABLE ev_loose; DROP TABLE ev_loose

--: simple fails
CREATE TEMP TABLE ev_loose (a int)
--;
DROP TABLE /* ev_loose */ U&"ev\005floose", "ev_loose"

--: simple
CREATE TEMP TABLE ev_loose (a int)
--;
DROP TABLE ev_loose; DROP TABLE public.ev_loose

--: simple fails
CREATE TEMP TABLE ev_i (a int)
--;
DROP INDEX ev_i

--: simple fails
CREATE TEMP TABLE ev_f (a int)
--;
DROP FUNCTION ev_f

--: simple
CREATE TEMP TABLE ev_v (a int)
--;
DROP TABLE pg_temp.ev_v
--;
CREATE OR REPLACE VIEW ev_v AS SELECT a, b, 1 AS one FROM ev_t

--: simple
CREATE TEMP VIEW ev_n AS SELECT 1 AS a
--;
CREATE OR REPLACE VIEW public.ev_n AS SELECT 1 AS a

--: simple
CREATE TEMP TABLE ev_n (a int)
--;
CREATE TABLE public.ev_n (a int)

--: simple
CREATE TEMP TABLE ev_n (a int); DROP TABLE pg_temp.ev_n
--;
CREATE TABLE ev_n (a int)

--: simple
CREATE TEMP TABLE ev_tmp (a int, b text)
--;
ALTER TABLE ev_tmp INHERIT ev_t2

--: simple fails
CREATE TEMP TABLE ev_tmp (a int, b text)
--;
ALTER TABLE ev_t2 INHERIT ev_tmp

--: simple fails
CREATE TEMP TABLE ev_tmp (a int)
--;
ALTER TABLE ev_tmp SET SCHEMA public

--: simple fails
CREATE TEMP TABLE ev_part (a int, b text) PARTITION BY LIST (a)
--;
ALTER TABLE ev_part ATTACH PARTITION ev_loose FOR VALUES IN (9)

--: simple fails
CREATE TEMP SEQUENCE ev_s
--;
ALTER SEQUENCE ev_s OWNED BY ev_t.a

--: simple fails
CREATE TEMP TABLE ev_tmp (a int)
--;
ALTER TABLE ev_tmp ADD FOREIGN KEY (a) REFERENCES ev_t (a)

--: simple
CREATE TEMP TABLE ev_tmp (a int)
--;
COMMENT ON TABLE ev_tmp IS 'x'; COMMENT ON TABLE ev_t IS 'x'

--: simple
CREATE TEMP TABLE ev_tmp (a int)
--;
GRANT SELECT ON ev_tmp, ev_t TO intern

--: simple fails
CREATE TEMP TABLE ev_loose (a int)
--;
BEGIN; DROP TABLE ev_loose; SAVEPOINT a
--;
DROP TABLE ev_loose

--: simple fails
BEGIN; CREATE TEMP TABLE ev_loose (a int) ON COMMIT DROP; COMMIT
--;
DROP TABLE ev_loose

--: simple fails
CREATE TEMP TABLE ev_loose (a int); SELECT 1 / 0
--;
DROP TABLE ev_loose

--: simple fails
CREATE TEMP TABLE ev_loose (a int)
--;
DISCARD TEMP
--;
DROP TABLE ev_loose

--: simple fails
SET search_path = public, pg_temp
--;
CREATE TEMP TABLE ev_loose (a int)
--;
ALTER TABLE ev_loose ADD COLUMN z int

--: simple fails
CREATE TEMP TABLE ev_loose (a int, é int)
--;
SELECT 'é'; COMMENT ON COLUMN ev_loose.é IS 'é'; ALTER TABLE "ev_loose" ADD COLUMN "ü" int; DROP TABLE ev_loose

--# statements around COPY
--: simple
COPY (SELECT 1) TO STDOUT; DROP TABLE ev_loose

--: simple
COPY ev_t TO STDOUT; COPY (TABLE ev_t) TO STDOUT WITH (FORMAT csv, HEADER, QUOTE ''''); DROP TABLE ev_loose

--: simple
COPY ev_t (a) TO STDOUT DELIMITER ';' NULL 'x'; DROP TABLE ev_loose
