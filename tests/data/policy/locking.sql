--: rule add-index-concurrently
--: fails
--: says writes to orders wait
--: hint CREATE INDEX CONCURRENTLY orders_note ON orders (note);
CREATE INDEX orders_note ON orders (note);
--: fails
--: set min_table_size = 100MB
CREATE INDEX orders_note ON orders (note);
--: fails
--: set min_table_size = 100MB
--: live orders R public|orders|r||||12884901888|80000000|0|k
--: says writes to orders wait while the index builds (12 GB, about 80 million rows)
CREATE INDEX orders_note ON orders (note);
--: passes
--: set min_table_size = 100MB
--: live orders R public|orders|r||||12884901|80000|0|k
CREATE INDEX orders_note ON orders (note);
--: passes
CREATE INDEX CONCURRENTLY orders_note ON orders (note);
--: passes
CREATE TABLE orders (note text); CREATE INDEX ON orders (note);
--: passes
CREATE INDEX ON ONLY measurements (taken_at);
--: passes
--: set except = scratch.*
CREATE INDEX ON scratch.orders (note);
--: rule not-null-needs-default
--: fails
--: hint ALTER TABLE orders ADD COLUMN note text NOT NULL DEFAULT ''
ALTER TABLE orders ADD COLUMN note text NOT NULL;
--: passes
ALTER TABLE orders ADD COLUMN note text NOT NULL DEFAULT '';
--: passes
CREATE TABLE orders (id int); ALTER TABLE orders ADD COLUMN note text NOT NULL;
--: rule drop-index-concurrently
--: fails
--: hint DROP INDEX CONCURRENTLY IF EXISTS public.orders_note;
DROP INDEX IF EXISTS public.orders_note;
--: fails
--: times 2
DROP INDEX a, b;
--: passes
DROP INDEX CONCURRENTLY orders_note;
--: passes
CREATE TABLE t (a int); CREATE INDEX t_a ON t (a); DROP INDEX t_a;
--: rule reindex-concurrently
--: fails
--: hint REINDEX TABLE CONCURRENTLY public.orders;
REINDEX TABLE public.orders;
--: fails
--: hint REINDEX INDEX CONCURRENTLY orders_note;
REINDEX INDEX orders_note;
--: fails
REINDEX SCHEMA public;
--: passes
REINDEX (CONCURRENTLY) TABLE orders;
--: passes
REINDEX SYSTEM shop;
--: rule index-own-migration
--: fails
--: says shares its file with ALTER TABLE
ALTER TABLE orders ADD COLUMN note text;
CREATE INDEX CONCURRENTLY orders_note ON orders (note);
--: passes
SET lock_timeout = '2s';
CREATE INDEX CONCURRENTLY orders_note ON orders (note);
--: passes
CREATE TABLE t (a int); CREATE INDEX ON t (a);
--: passes
DROP INDEX CONCURRENTLY orders_note;
CREATE INDEX CONCURRENTLY orders_note ON orders (note);
--: passes
CREATE INDEX i ON ONLY orders (note);
CREATE INDEX CONCURRENTLY i1 ON orders_1 (note);
ALTER INDEX i ATTACH PARTITION i1;
--: fails
--: times 2
CREATE INDEX CONCURRENTLY i1 ON orders_1 (note);
CREATE INDEX CONCURRENTLY i2 ON orders_2 (note);
--: rule partitioned-index
--: fails
--: hint ON ONLY m (taken_at)
CREATE TABLE m (taken_at date) PARTITION BY RANGE (taken_at);
CREATE INDEX CONCURRENTLY m_taken ON m (taken_at);
--: fails
ALTER TABLE m ATTACH PARTITION m1 FOR VALUES FROM (1) TO (2);
CREATE INDEX CONCURRENTLY m_taken ON m (taken_at);
--: passes
CREATE TABLE m (taken_at date) PARTITION BY RANGE (taken_at);
CREATE INDEX m_taken ON ONLY m (taken_at);
--: passes
CREATE INDEX CONCURRENTLY orders_note ON orders (note);
--: rule add-fk-not-valid
--: fails
--: says writes to orders and public.customers wait
--: hint ALTER TABLE orders ADD CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES public.customers (id) ON DELETE CASCADE NOT VALID; then, in a later transaction: ALTER TABLE orders VALIDATE CONSTRAINT orders_customer;
ALTER TABLE orders ADD CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES public.customers (id) ON DELETE CASCADE;
--: fails
--: hint ADD CONSTRAINT orders_a_fkey FOREIGN KEY (a) REFERENCES p NOT VALID; then, in a later transaction: ALTER TABLE orders VALIDATE CONSTRAINT orders_a_fkey;
ALTER TABLE orders ADD FOREIGN KEY (a) REFERENCES p;
--: passes
ALTER TABLE orders ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES p NOT VALID;
--: passes
CREATE TABLE orders (a int); ALTER TABLE orders ADD FOREIGN KEY (a) REFERENCES p;
--: passes
ALTER TABLE orders VALIDATE CONSTRAINT c;
--: rule fk-in-create-table
--: fails
--: says writes to customers wait
--: hint SET lock_timeout = '2s'
CREATE TABLE orders (id int, customer_id int REFERENCES customers);
--: passes
CREATE TABLE customers (id int PRIMARY KEY);
CREATE TABLE orders (id int, customer_id int REFERENCES customers);
--: passes
CREATE TABLE nodes (id int PRIMARY KEY, parent_id int REFERENCES nodes);
--: rule add-check-not-valid
--: fails
--: hint ALTER TABLE orders ADD CONSTRAINT positive CHECK (amount > 0) NOT VALID; then, in a later transaction: ALTER TABLE orders VALIDATE CONSTRAINT positive;
ALTER TABLE orders ADD CONSTRAINT positive CHECK (amount > 0);
--: passes
ALTER TABLE orders ADD CONSTRAINT positive CHECK (amount > 0) NOT VALID;
--: passes
CREATE TABLE orders (amount int, CHECK (amount > 0));
--: rule add-column-inline-constraint
--: fails
--: says every row is read for its CHECK
--: hint ALTER TABLE orders ADD COLUMN stars integer; then ALTER TABLE orders ADD CONSTRAINT orders_stars_check CHECK (...) NOT VALID
ALTER TABLE orders ADD COLUMN stars int CHECK (stars > 0);
--: fails
--: says its unique index is built
ALTER TABLE orders ADD COLUMN code text UNIQUE;
--: fails
--: says its foreign key is looked up
ALTER TABLE orders ADD COLUMN p int DEFAULT 1 REFERENCES p;
--: passes
ALTER TABLE orders ADD COLUMN p int REFERENCES p;
--: passes
ALTER TABLE orders ADD COLUMN note text NOT NULL DEFAULT '';
--: rule add-unique-using-index
--: fails
--: hint CREATE UNIQUE INDEX CONCURRENTLY uq_email ON users (email); then ALTER TABLE users ADD CONSTRAINT uq_email UNIQUE USING INDEX uq_email;
ALTER TABLE users ADD CONSTRAINT uq_email UNIQUE (email);
--: passes
ALTER TABLE users ADD CONSTRAINT uq_email UNIQUE USING INDEX uq_email;
--: passes
CREATE TABLE users (email text UNIQUE);
--: rule add-pk-using-index
--: fails
--: hint CREATE UNIQUE INDEX CONCURRENTLY users_pkey ON users (id); then ALTER TABLE users ADD CONSTRAINT users_pkey PRIMARY KEY USING INDEX users_pkey;
ALTER TABLE users ADD PRIMARY KEY (id);
--: passes
ALTER TABLE users ADD CONSTRAINT users_pkey PRIMARY KEY USING INDEX users_id;
--: passes
CREATE TABLE users (id int); ALTER TABLE users ADD PRIMARY KEY (id);
--: rule add-exclusion-constraint
--: fails
ALTER TABLE bookings ADD CONSTRAINT no_overlap EXCLUDE USING gist (room WITH =, during WITH &&);
--: passes
CREATE TABLE bookings (room int, during tsrange, EXCLUDE USING gist (during WITH &&));
--: rule set-not-null-scan
--: fails
--: hint ADD CONSTRAINT orders_note_not_null CHECK (note IS NOT NULL) NOT VALID
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;
--: fails
ALTER TABLE orders ADD CONSTRAINT n CHECK (note IS NOT NULL) NOT VALID;
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;
--: passes
ALTER TABLE orders ADD CONSTRAINT n CHECK (note IS NOT NULL) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT n;
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;
ALTER TABLE orders DROP CONSTRAINT n;
--: passes
CREATE TABLE orders (note text); ALTER TABLE orders ALTER note SET NOT NULL;
--: rule add-column-volatile-default
--: fails
--: hint ALTER TABLE orders ADD COLUMN token uuid; ALTER TABLE orders ALTER COLUMN token SET DEFAULT gen_random_uuid();
ALTER TABLE orders ADD COLUMN token uuid DEFAULT gen_random_uuid();
--: fails
ALTER TABLE orders ADD COLUMN seen timestamptz DEFAULT clock_timestamp();
--: passes
ALTER TABLE orders ADD COLUMN seen timestamptz NOT NULL DEFAULT now();
--: passes
ALTER TABLE orders ADD COLUMN n int DEFAULT 5, ADD COLUMN t text DEFAULT 'x';
--: rule add-column-serial-identity
--: fails
--: hint CREATE SEQUENCE public.orders_n_seq; ALTER TABLE public.orders ADD COLUMN n bigint;
ALTER TABLE public.orders ADD COLUMN n bigserial;
--: fails
ALTER TABLE orders ADD COLUMN n bigint GENERATED BY DEFAULT AS IDENTITY;
--: passes
CREATE TABLE orders (n bigserial);
--: passes
ALTER TABLE orders ADD COLUMN n bigint;
--: rule add-column-generated
--: fails
ALTER TABLE orders ADD COLUMN gross int GENERATED ALWAYS AS (net + tax) STORED;
--: passes
CREATE TABLE orders (net int, gross int GENERATED ALWAYS AS (net * 2) STORED);
--: rule change-column-type
--: fails
--: hint ALTER TABLE orders ADD COLUMN id_new bigint;
ALTER TABLE orders ALTER COLUMN id TYPE bigint;
--: fails
ALTER TABLE orders ALTER COLUMN note TYPE varchar(20);
--: fails
ALTER TABLE orders ALTER COLUMN note TYPE text USING upper(note);
--: fails
ALTER TABLE orders ALTER COLUMN note TYPE text;
--: passes
CREATE TABLE orders (id int); ALTER TABLE orders ALTER COLUMN id TYPE bigint;
--: rule change-collation
--: fails
--: hint ON orders (note COLLATE "C")
ALTER TABLE orders ALTER COLUMN note TYPE text COLLATE "C";
--: passes
ALTER TABLE orders ALTER COLUMN note TYPE text;
--: rule set-logged-unlogged
--: fails
ALTER TABLE orders SET UNLOGGED;
--: fails
ALTER TABLE orders SET LOGGED;
--: passes
CREATE TABLE t (a int); ALTER TABLE t SET UNLOGGED;
--: rule set-tablespace
--: fails
ALTER TABLE orders SET TABLESPACE fast;
--: fails
ALTER INDEX orders_note SET TABLESPACE fast;
--: fails
ALTER TABLE ALL IN TABLESPACE old SET TABLESPACE fast;
--: passes
CREATE TABLE orders (a int) TABLESPACE fast;
--: passes
ALTER DATABASE shop SET TABLESPACE fast;
--: rule set-access-method
--: fails
ALTER TABLE orders SET ACCESS METHOD columnar;
--: passes
CREATE TABLE orders (a int) USING heap;
--: rule vacuum-full-cluster
--: fails
--: hint VACUUM orders
VACUUM FULL orders;
--: fails
CLUSTER orders USING orders_note;
--: passes
VACUUM orders;
--: passes
VACUUM (ANALYZE) orders;
--: rule refresh-matview-concurrently
--: fails
--: hint REFRESH MATERIALIZED VIEW CONCURRENTLY totals;
REFRESH MATERIALIZED VIEW totals;
--: passes
REFRESH MATERIALIZED VIEW CONCURRENTLY totals;
--: passes
REFRESH MATERIALIZED VIEW totals WITH NO DATA;
--: passes
CREATE MATERIALIZED VIEW totals AS SELECT 1 WITH NO DATA; REFRESH MATERIALIZED VIEW totals;
--: rule attach-partition-check
--: fails
--: hint FOR VALUES FROM (1) TO (2)
ALTER TABLE m ATTACH PARTITION m1 FOR VALUES FROM (1) TO (2);
--: passes
CREATE TABLE m1 (LIKE m INCLUDING ALL); ALTER TABLE m ATTACH PARTITION m1 FOR VALUES FROM (1) TO (2);
--: passes
ALTER TABLE m1 ADD CONSTRAINT b CHECK (k >= 1 AND k < 2) NOT VALID;
ALTER TABLE m1 VALIDATE CONSTRAINT b;
ALTER TABLE m ATTACH PARTITION m1 FOR VALUES FROM (1) TO (2);
--: passes
ALTER INDEX m_k ATTACH PARTITION m1_k;
--: rule create-partition-of
--: fails
--: hint CREATE TABLE m1 (LIKE m INCLUDING ALL); ALTER TABLE m ATTACH PARTITION m1 FOR VALUES FROM (1) TO (2)
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (1) TO (2);
--: passes
CREATE TABLE m (k int) PARTITION BY RANGE (k);
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (1) TO (2);
--: rule default-partition-scan
--: fails
ALTER TABLE m ATTACH PARTITION rest DEFAULT;
CREATE TABLE m1 (LIKE m); ALTER TABLE m ATTACH PARTITION m1 FOR VALUES FROM (1) TO (2);
--: passes
ALTER TABLE m ATTACH PARTITION m1 FOR VALUES FROM (1) TO (2);
--: passes
CREATE TABLE m (k int) PARTITION BY RANGE (k); CREATE TABLE rest PARTITION OF m DEFAULT;
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (1) TO (2);
--: rule detach-partition-concurrently
--: fails
--: hint ALTER TABLE m DETACH PARTITION m1 CONCURRENTLY;
ALTER TABLE m DETACH PARTITION m1;
--: passes
ALTER TABLE m DETACH PARTITION m1 CONCURRENTLY;
--: rule create-trigger
--: fails
CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
--: fails
ALTER TABLE orders DISABLE TRIGGER touch;
--: passes
CREATE TABLE orders (a int);
CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
--: passes
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$begin return new; end$$;
--: rule drop-fk-locks-parent
--: fails
ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey;
--: passes
ALTER TABLE orders DROP CONSTRAINT positive;
--: rule domain-constraint-not-valid
--: fails
--: hint ALTER DOMAIN email ADD CONSTRAINT at CHECK (value LIKE '%@%') NOT VALID; later: ALTER DOMAIN email VALIDATE CONSTRAINT at;
ALTER DOMAIN email ADD CONSTRAINT at CHECK (value LIKE '%@%');
--: fails
ALTER DOMAIN email SET NOT NULL;
--: passes
ALTER DOMAIN email ADD CONSTRAINT at CHECK (value LIKE '%@%') NOT VALID;
--: rule domain-with-constraint
--: fails
CREATE DOMAIN email AS text CHECK (value LIKE '%@%');
--: passes
CREATE DOMAIN email AS text;
--: rule explicit-lock-table
--: fails
--: hint LOCK TABLE orders IN SHARE ROW EXCLUSIVE MODE NOWAIT;
LOCK TABLE orders;
--: fails
LOCK TABLE orders IN EXCLUSIVE MODE;
--: passes
LOCK TABLE orders IN SHARE ROW EXCLUSIVE MODE;
--: rule comment-takes-lock
--: fails
BEGIN; ALTER TABLE orders ADD COLUMN note text; COMMENT ON TABLE items IS 'x'; COMMIT;
--: passes
COMMENT ON TABLE items IS 'x';
--: passes
BEGIN; ALTER TABLE orders ADD COLUMN note text; COMMENT ON COLUMN orders.note IS 'x'; COMMIT;
--: rule replica-identity-full
--: fails
ALTER TABLE orders REPLICA IDENTITY FULL;
--: passes
ALTER TABLE orders REPLICA IDENTITY USING INDEX orders_pkey;
--: rule concurrent-index-server-bug
--: fails
--: wire 140001
--: says server 14.1
CREATE INDEX CONCURRENTLY i ON orders (note);
--: passes
--: wire 140004
CREATE INDEX CONCURRENTLY i ON orders (note);
--: passes
--: wire 140001
CREATE INDEX i ON orders (note);
--: rule require-lock-timeout
--: fails
--: says ALTER TABLE takes ACCESS EXCLUSIVE on orders, and lock_timeout is not set
--: hint SET lock_timeout = '2s';
ALTER TABLE orders ADD COLUMN note text;
--: fails
SET lock_timeout = 0; CREATE INDEX ON orders (note); DROP INDEX x;
--: passes
SET lock_timeout = '2s'; ALTER TABLE orders ADD COLUMN note text;
--: passes
CREATE INDEX CONCURRENTLY i ON orders (note); ALTER TABLE orders VALIDATE CONSTRAINT c;
--: passes
CREATE TABLE t (a int); ALTER TABLE t ADD COLUMN b int;
--: rule require-statement-timeout
--: fails
DROP TABLE orders;
--: passes
SET LOCAL statement_timeout = '1min'; DROP TABLE orders;
--: rule large-table-ddl
--: live orders R public|orders|r||||12884901888|80000000|0|k
--: live small R public|small|r||||8192|3|0|k
--: live huge R public|huge|r||||16384|50000000|0|k
--: live fresh R public|fresh|r||||0|0|0|
--: live parts R public|parts|p||||2147483648|5|2|k
--: live orders_note R public|orders_note|i||||12884901888|80000000|0|k
--: live orders_note T public|orders|r||||12884901888|80000000|0|k
--: fails
--: says ALTER TABLE takes ACCESS EXCLUSIVE on public.orders, 12 GB, about 80 million rows
ALTER TABLE orders ADD COLUMN a int;
--: fails
ALTER TABLE huge ADD COLUMN a int;
--: fails
--: says public.fresh, of unknown size
ALTER TABLE fresh ADD COLUMN a int;
--: passes
--: set when_unknown = loose
ALTER TABLE fresh ADD COLUMN a int;
--: fails
TRUNCATE parts;
--: fails
--: says DROP INDEX takes ACCESS EXCLUSIVE on public.orders
DROP INDEX orders_note;
--: fails
--: says SHARE ROW EXCLUSIVE on public.orders
CREATE TABLE lines (order_id int REFERENCES orders);
--: passes
ALTER TABLE small ADD COLUMN a int;
--: passes
CREATE INDEX CONCURRENTLY ON orders (a);
--: passes
--: set min_table_size = 1TB
--: set min_table_rows = 1000000000
ALTER TABLE orders ADD COLUMN a int;
--: passes
CREATE TABLE orders (id int); ALTER TABLE orders ADD COLUMN a int;
--: passes
ALTER TABLE no_such_table ADD COLUMN a int;
--: rule blocker-present
--: live orders R public|orders|r||||8192|3|0|k
--: live orders L:1 77|reporting|idle in transaction|AccessShareLock|g|7200000
--: live orders L:2 78|app|active|RowExclusiveLock|g|20
--: live quick R public|quick|r||||8192|3|0|k
--: live quick L:1 77|app|active|AccessShareLock|g|100
--: live cleaned R public|cleaned|r||||8192|3|0|k
--: live cleaned L:1 77||autovacuum|ShareUpdateExclusiveLock|g|900000
--: live hidden R public|hidden|r||||8192|3|0|k
--: live hidden L:1 77|app||AccessShareLock|g|
--: live prepared R public|prepared|r||||8192|3|0|k
--: live prepared L:1 |left behind|prepared transaction|AccessShareLock|g|900000
--: fails
--: says ALTER TABLE would wait for reporting (process 77, idle in transaction for 2 h)
--: hint WHERE pid = 77
ALTER TABLE orders ADD COLUMN a int;
--: fails
--: says reporting (process 77, idle in transaction for 2 h)
DROP TABLE orders;
--: fails
--: says DROP TABLE would wait for app (process 77)
DROP TABLE hidden;
--: fails
--: hint ROLLBACK PREPARED
TRUNCATE prepared;
--: passes
CREATE INDEX ON orders (a);
--: passes
ALTER TABLE quick ADD COLUMN a int;
--: passes
ALTER TABLE cleaned ADD COLUMN a int;
--: passes
--: set min_age = 3h
ALTER TABLE orders ADD COLUMN a int;
--: rule invalid-index-left
--: live orders_a R public|orders_a|i|||||||
--: live orders_a T public|orders|r||||8192|3|0|k
--: live orders_a I:5 public|orders_a|btree|||0|8192|0
--: live orders_a J:5 a
--: live orders_b R public|orders_b|i|||||||
--: live orders_b T public|orders|r||||8192|3|0|k
--: live orders_b I:6 public|orders_b|btree|v||0|8192|0
--: fails
--: hint DROP INDEX CONCURRENTLY public.orders_a;
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_a ON orders (a);
--: passes
CREATE INDEX IF NOT EXISTS orders_b ON orders (b);
--: passes
CREATE INDEX orders_a ON orders (a);
--: passes
DROP INDEX orders_a; CREATE INDEX IF NOT EXISTS orders_a ON orders (a);
--: rule change-type-referenced
--: live orders R public|orders|r||||8192|3|0|k
--: live orders C:1 id|int4|int4|integer|-1|n
--: live orders C:2 total|numeric|numeric|numeric|-1|
--: live orders C:3 note|text|text|text|-1|
--: live orders C:4 twice|int4|int4|integer|-1|g
--: live orders F:9 lines_order_id_fkey|f|v|public|lines
--: live orders E:9 order_id|id
--: live orders U view|public|totals|total
--: live orders U generated column||twice|id
--: fails
--: times 2
--: says foreign key lines_order_id_fkey ties public.orders.id to public.lines
--: hint ALTER TABLE public.lines DROP CONSTRAINT lines_order_id_fkey
ALTER TABLE orders ALTER COLUMN id TYPE bigint;
--: fails
--: says view public.totals uses public.orders.total
ALTER TABLE orders ALTER COLUMN total TYPE numeric(12,2);
--: passes
DROP VIEW totals; ALTER TABLE orders ALTER COLUMN total TYPE numeric(12,2);
--: passes
ALTER TABLE orders ALTER COLUMN note TYPE varchar(10);
--: rule drop-partition-locks-parent
--: live y2020 R public|y2020|r|public|measurements||8192|3|0|k
--: live alone R public|alone|r||||8192|3|0|k
--: fails
--: hint ALTER TABLE public.measurements DETACH PARTITION y2020 CONCURRENTLY
DROP TABLE y2020;
--: passes
DROP TABLE alone;
--: passes
ALTER TABLE measurements DETACH PARTITION y2020 CONCURRENTLY; DROP TABLE y2020;
