--: rule snake-case
--: fails
--: hint Call it order_items.
CREATE TABLE "orderItems" (id int);
--: fails
ALTER TABLE orders ADD COLUMN "customerName" text;
--: fails
ALTER TABLE orders RENAME COLUMN note TO "Note";
--: passes
CREATE TABLE OrderItems (Id int);
--: passes
ALTER TABLE "Old" ADD COLUMN note text;
--: rule name-reserved-word
--: fails
CREATE TABLE "user" (id int);
--: fails
ALTER TABLE t ADD COLUMN "order" int;
--: passes
CREATE TABLE users (id int, name text);
--: rule identifier-too-long
--: fails
--: says has 70 bytes
CREATE TABLE aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggg (id int);
--: fails
ALTER TABLE t ADD COLUMN "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggg" int;
--: passes
CREATE TABLE aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg (id int);
--: passes
COMMENT ON TABLE t IS 'aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggg';
--: rule index-name
--: fails
--: hint Call it idx_orders_note.
CREATE INDEX orders_note ON orders (note);
--: fails
CREATE INDEX ON orders (note);
--: passes
CREATE INDEX idx_orders_customer_id_created_at ON orders (customer_id, created_at);
--: passes
CREATE INDEX idx_orders_lower_note ON orders (lower(note));
--: passes
--: set name = {table}_{columns}_idx
CREATE INDEX ON orders (note);
--: passes
CREATE UNIQUE INDEX anything ON orders (note);
--: rule unique-name
--: fails
--: hint Call it uq_users_email.
CREATE UNIQUE INDEX users_email ON users (email);
--: fails
ALTER TABLE users ADD CONSTRAINT email UNIQUE (email);
--: passes
CREATE UNIQUE INDEX uq_users_email ON users (email);
--: passes
CREATE TABLE users (email text CONSTRAINT uq_users_email UNIQUE);
--: rule fk-name
--: fails
--: hint Call it fk_orders_customer_id.
ALTER TABLE orders ADD CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers NOT VALID;
--: passes
ALTER TABLE orders ADD CONSTRAINT fk_orders_customer_id FOREIGN KEY (customer_id) REFERENCES customers NOT VALID;
--: passes
--: set name = fk_{table}_{ref_table}
ALTER TABLE orders ADD CONSTRAINT fk_orders_customers FOREIGN KEY (customer_id) REFERENCES customers NOT VALID;
--: rule pk-name
--: fails
CREATE TABLE orders (id int CONSTRAINT my_key PRIMARY KEY);
--: passes
CREATE TABLE orders (id int PRIMARY KEY);
--: passes
CREATE TABLE orders (id int, CONSTRAINT pk_orders PRIMARY KEY (id));
--: rule constraint-named
--: fails
--: hint CONSTRAINT orders_amount_check before it.
CREATE TABLE orders (amount int CHECK (amount > 0));
--: fails
ALTER TABLE orders ADD FOREIGN KEY (a) REFERENCES p NOT VALID;
--: passes
CREATE TABLE orders (amount int CONSTRAINT positive CHECK (amount > 0), id int PRIMARY KEY);
--: rule schema-qualified
--: fails
--: hint public.orders
CREATE TABLE orders (id int);
--: fails
CREATE INDEX i ON orders (id);
--: passes
CREATE TABLE public.orders (id int);
--: passes
CREATE INDEX i ON public.orders (id); CREATE SCHEMA app; CREATE ROLE joe; CREATE TEMP TABLE t (a int);
