-- Style: what a developer writes at first.
CREATE INDEX orders_created_at ON orders (created_at); --! add-index-concurrently
CREATE UNIQUE INDEX products_title ON catalog.products (title); --! add-index-concurrently
create index on users using hash (email); --! add-index-concurrently
DROP INDEX orders_state; --! drop-index-concurrently
DROP INDEX IF EXISTS orders_total, users_display_name; --! drop-index-concurrently drop-index-concurrently
REINDEX TABLE orders; --! reindex-concurrently
REINDEX INDEX orders_pkey; --! reindex-concurrently
CREATE INDEX IF NOT EXISTS users_locale ON users (locale); --! add-index-concurrently
