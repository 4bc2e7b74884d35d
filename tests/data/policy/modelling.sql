--: rule fk-index
--: fails
--: hint CREATE INDEX idx_orders_customer_id ON orders (customer_id);
CREATE TABLE orders (id int, customer_id int REFERENCES customers);
--: passes
CREATE TABLE orders (id int, customer_id int REFERENCES customers); CREATE INDEX ON orders (customer_id);
--: rule require-primary-key
--: fails
CREATE TABLE t (a int);
--: passes
CREATE TABLE t (a int PRIMARY KEY);
--: passes
CREATE TABLE t (a int); ALTER TABLE t ADD PRIMARY KEY (a);
--: passes
CREATE TABLE m1 PARTITION OF m FOR VALUES IN (1); CREATE TEMP TABLE t (a int); CREATE TABLE u (LIKE m INCLUDING ALL);
--: rule uuid-primary-key
--: fails
--: says of type bigint
CREATE TABLE t (id bigint PRIMARY KEY);
--: fails
--: says without a default
CREATE TABLE t (id uuid PRIMARY KEY);
--: passes
CREATE TABLE t (id uuid PRIMARY KEY DEFAULT gen_random_uuid());
--: passes
CREATE TABLE t (a uuid, b uuid, PRIMARY KEY (a, b));
--: rule created-updated-at
--: fails
--: says t has no column created_at
--: hint created_at timestamptz not null default now(), updated_at
CREATE TABLE t (id int);
--: fails
--: says has updated_at of type date
CREATE TABLE t (created_at timestamptz NOT NULL DEFAULT now(), updated_at date NOT NULL DEFAULT now());
--: passes
CREATE TABLE t (created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz DEFAULT current_timestamp NOT NULL);
--: passes
CREATE TABLE t (created_at timestamptz NOT NULL DEFAULT now());
ALTER TABLE t ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
--: passes
--: set columns = made timestamptz
CREATE TABLE t (made timestamptz);
--: rule tenant-id
--: fails
CREATE TABLE app.t (id int);
--: fails
--: says without NOT NULL
CREATE TABLE t (tenant_id int);
--: passes
CREATE TABLE t (tenant_id int NOT NULL);
--: passes
--: set tables = app.*
CREATE TABLE lookup.t (id int);
--: rule tenant-created-index
--: fails
--: hint CREATE INDEX idx_t_tenant_id_created_at ON t (tenant_id, created_at);
CREATE TABLE t (tenant_id int, created_at timestamptz); CREATE INDEX ON t (created_at, tenant_id);
--: passes
CREATE TABLE t (tenant_id int, created_at timestamptz); CREATE INDEX ON t (tenant_id, created_at, id);
--: passes
CREATE TABLE t (id int);
--: rule soft-delete
--: fails
CREATE TABLE t (id int);
--: fails
--: says no index of t is about deleted_at
CREATE TABLE t (deleted_at timestamptz);
--: passes
CREATE TABLE t (deleted_at timestamptz); CREATE INDEX ON t (deleted_at);
--: passes
CREATE TABLE t (id int, deleted_at timestamptz); CREATE INDEX ON t (id) WHERE deleted_at IS NULL;
--: passes
--: set index = no
CREATE TABLE t (deleted_at timestamptz);
--: rule fk-on-delete
--: fails
--: hint REFERENCES customers ON DELETE RESTRICT
CREATE TABLE t (c int REFERENCES customers);
--: fails
ALTER TABLE t ADD CONSTRAINT x FOREIGN KEY (c) REFERENCES p (id) NOT VALID;
--: passes
CREATE TABLE t (c int REFERENCES customers ON DELETE NO ACTION, d int REFERENCES p ON DELETE CASCADE);
--: rule fk-cascade-ban
--: fails
CREATE TABLE t (c int REFERENCES customers ON DELETE CASCADE);
--: passes
CREATE TABLE t (c int REFERENCES customers ON DELETE RESTRICT);
--: rule fk-ban
--: fails
CREATE TABLE t (c int REFERENCES customers);
--: passes
CREATE TABLE t (c int);
--: rule fk-type-match
--: fails
--: says integer refers to bigint
CREATE TABLE p (id bigint PRIMARY KEY); CREATE TABLE t (c int REFERENCES p);
--: fails
CREATE TABLE p (id uuid PRIMARY KEY, n int UNIQUE); CREATE TABLE t (c bigint, FOREIGN KEY (c) REFERENCES p (n));
--: passes
CREATE TABLE p (id serial PRIMARY KEY); CREATE TABLE t (c int REFERENCES p);
--: passes
CREATE TABLE t (c int REFERENCES elsewhere);
--: rule fk-nullable
--: fails
CREATE TABLE t (c int REFERENCES customers);
--: passes
CREATE TABLE t (c int NOT NULL REFERENCES customers);
--: rule column-not-null
--: fails
CREATE TABLE t (id int PRIMARY KEY, note text);
--: passes
CREATE TABLE t (id int PRIMARY KEY, note text NOT NULL);
--: rule column-default
--: fails
CREATE TABLE t (id int PRIMARY KEY, note text NOT NULL);
--: passes
CREATE TABLE t (id int PRIMARY KEY, note text NOT NULL DEFAULT '', n int, c int NOT NULL REFERENCES p);
--: rule comments-required
--: fails
--: hint COMMENT ON TABLE t IS '...';
CREATE TABLE t (id int);
--: fails
--: set each_column = yes
--: hint COMMENT ON COLUMN t.id IS '...';
CREATE TABLE t (id int); COMMENT ON TABLE t IS 'x';
--: passes
CREATE TABLE t (id int); COMMENT ON TABLE t IS 'x';
--: rule index-key-limit
--: fails
CREATE INDEX i ON t (a, b, c, d);
--: passes
CREATE INDEX i ON t (a, b, c) INCLUDE (d);
--: rule index-total-limit
--: set max = 2
--: fails
CREATE TABLE t (id int PRIMARY KEY, a int UNIQUE, b int); CREATE INDEX ON t (b);
--: passes
CREATE TABLE t (id int PRIMARY KEY, a int UNIQUE);
--: rule duplicate-index
--: fails
CREATE INDEX i ON t (a); CREATE INDEX j ON t (a, b);
--: fails
CREATE TABLE t (id int PRIMARY KEY); CREATE INDEX ON t (id);
--: fails
CREATE INDEX i ON t (a, a);
--: passes
CREATE INDEX i ON t (a); CREATE INDEX j ON t (b, a);
--: passes
CREATE INDEX i ON t (a); CREATE INDEX j ON t (a) WHERE b; CREATE INDEX k ON t USING gin (a);
--: rule unlogged-table
--: fails
CREATE UNLOGGED TABLE t (a int);
--: passes
CREATE TABLE t (a int);
--: rule partition-ban
--: fails
CREATE TABLE t (a int) PARTITION BY RANGE (a);
--: passes
CREATE TABLE t (a int);
