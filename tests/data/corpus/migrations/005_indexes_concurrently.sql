-- Style: goose with "-- +goose NO TRANSACTION".
SET lock_timeout = '5s';
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_state ON orders (state);
CREATE INDEX CONCURRENTLY orders_total ON orders (total) WHERE state = 'open';
CREATE UNIQUE INDEX CONCURRENTLY users_display_name ON users (display_name);
DROP INDEX CONCURRENTLY IF EXISTS users_created_at;
CREATE INDEX CONCURRENTLY order_items_product_id ON order_items USING btree (product_id) INCLUDE (quantity);
REINDEX INDEX CONCURRENTLY orders_user_id_created_at;
REINDEX (CONCURRENTLY) TABLE order_items;
ANALYZE orders;
VACUUM (ANALYZE) order_items;
