BEGIN;

CREATE TABLE orders (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer bigint NOT NULL REFERENCES customers (id),
    placed   timestamptz NOT NULL DEFAULT now(),
    total    numeric(12, 2) NOT NULL
);

-- Without it, deleting a customer reads all orders.
CREATE INDEX orders_customer ON orders (customer);

INSERT INTO schema_migrations (version, name)
VALUES ('002', 'create_orders')
ON CONFLICT DO NOTHING;

COMMIT;
