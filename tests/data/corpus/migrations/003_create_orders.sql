-- Style: numbered SQL. Refers to tables that were there before.
BEGIN;
SET LOCAL lock_timeout = '2s';
CREATE TABLE orders ( --! fk-in-create-table
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    bigint NOT NULL REFERENCES users (id),
    state      text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'paid', 'sent', 'void')),
    currency   char(3) NOT NULL DEFAULT 'EUR',
    total      numeric(12, 2) NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX orders_user_id_created_at ON orders (user_id, created_at DESC);
CREATE TABLE order_items ( --! fk-in-create-table fk-index
    order_id   bigint NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    line       int NOT NULL,
    product_id bigint NOT NULL REFERENCES catalog.products (id),
    quantity   int NOT NULL CHECK (quantity > 0),
    price      numeric(12, 2) NOT NULL,
    PRIMARY KEY (order_id, line)
);
CREATE VIEW open_orders AS
    SELECT o.id, o.user_id, o.total FROM orders o WHERE o.state = 'open';
INSERT INTO schema_migrations (version, name) VALUES ('003', 'create_orders');
COMMIT;
