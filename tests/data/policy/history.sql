--: rule migration-recorded
--: fails
--: hint INSERT INTO schema_migrations
CREATE TABLE t (a int);
--: passes
CREATE TABLE t (a int); INSERT INTO schema_migrations (version) VALUES ('1');
--: passes
SELECT 1;
--: rule migration-down-blocked
--: fails
--: file db/migrations/002_orders.down.sql
DROP TABLE orders;
--: fails
--: file U2__orders.sql
DROP TABLE orders;
--: passes
--: file db/migrations/002_orders.up.sql
CREATE TABLE orders (a int);
--: rule issue-reference-required
--: fails
--: file 001_orders.sql
CREATE TABLE orders (note text DEFAULT 'SHOP-17');
--: passes
--: file 001_SHOP-17_orders.sql
CREATE TABLE orders (a int);
--: passes
-- SHOP-17: orders at last
CREATE TABLE orders (a int);
--: passes
--: set pattern = task/[0-9]+
CREATE TABLE orders (a int); /* see task/4711 */
--: rule change-description-required
--: fails
-- orders
CREATE TABLE orders (a int);
--: passes
-- Orders of customers, so that the shop can bill them.
CREATE TABLE orders (a int);
--: passes
--: set min = 3
-- orders
CREATE TABLE orders (a int);

--: rule migration-down-present
--: fails
--: back missing
--: says nothing takes it back: 1_x.down.sql is missing
--: hint -- irreversible: <reason>
ALTER TABLE orders ADD COLUMN note text;
--: fails
--: back empty -- to do
--: says 1_x.down.sql holds no statement
CREATE TABLE a (id int);
--: fails
--: back missing
--: set mark = one way
-- irreversible: the old values are gone
UPDATE orders SET total = 0;
--: passes
--: back found
CREATE TABLE a (id int);
--: passes
CREATE TABLE a (id int);
--: passes
--: back missing
-- Irreversible: the old values are gone
UPDATE orders SET total = 0;
--: passes
--: back empty -- irreversible: the old values are gone
UPDATE orders SET total = 0;
