-- Style: a new module, all at once.
CREATE TABLE suppliers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, vat_id text);
CREATE TABLE warehouses (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text NOT NULL UNIQUE, city text);
CREATE TABLE stock (
    warehouse_id bigint NOT NULL REFERENCES warehouses (id),
    product_id   bigint NOT NULL,
    quantity     int NOT NULL DEFAULT 0,
    PRIMARY KEY (warehouse_id, product_id)
);
CREATE TABLE purchase_orders (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    supplier_id bigint NOT NULL REFERENCES suppliers (id),
    ordered_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX purchase_orders_supplier_id ON purchase_orders (supplier_id);
CREATE TABLE purchase_lines (
    purchase_id bigint NOT NULL REFERENCES purchase_orders (id) ON DELETE CASCADE,
    line        int NOT NULL,
    sku         text NOT NULL,
    PRIMARY KEY (purchase_id, line)
);
CREATE SEQUENCE purchase_numbers;
CREATE VIEW stock_levels AS SELECT product_id, sum(quantity) AS quantity FROM stock GROUP BY product_id;
ALTER TABLE suppliers ADD COLUMN country text NOT NULL;
ALTER TABLE suppliers ADD CONSTRAINT suppliers_vat CHECK (length(vat_id) < 20);
ALTER TABLE suppliers ALTER COLUMN vat_id SET NOT NULL;
ALTER TABLE stock ADD COLUMN counted_at timestamptz DEFAULT clock_timestamp();
COMMENT ON TABLE suppliers IS 'Who we buy from';
COMMENT ON TABLE warehouses IS 'Where it lies';
COMMENT ON TABLE stock IS 'How much lies where';
COMMENT ON TABLE purchase_orders IS 'What we ordered';
COMMENT ON COLUMN stock.counted_at IS 'Last inventory';
GRANT SELECT ON suppliers, warehouses, stock, purchase_orders, purchase_lines TO reporting;
GRANT SELECT, INSERT, UPDATE ON stock TO app;
GRANT USAGE ON SEQUENCE purchase_numbers TO app;
CREATE TABLE carriers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
CREATE TABLE tariffs (
    carrier_id bigint NOT NULL REFERENCES carriers (id),
    zone       text NOT NULL,
    price      numeric(8, 2) NOT NULL,
    PRIMARY KEY (carrier_id, zone)
);
INSERT INTO carriers (name) VALUES ('DHL'), ('UPS');
CREATE INDEX tariffs_zone ON tariffs (zone);
CREATE STATISTICS stock_stats (dependencies) ON warehouse_id, product_id FROM stock;
ALTER TABLE stock SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE stock ALTER COLUMN quantity SET STATISTICS 1000;
CREATE TEXT SEARCH CONFIGURATION shop_german (COPY = german);
CREATE COLLATION IF NOT EXISTS german_ci (provider = icu, locale = 'de', deterministic = false);
CREATE TYPE money_amount AS (amount numeric(12, 2), currency text);
CREATE AGGREGATE sum_all (numeric) (sfunc = numeric_add, stype = numeric);
REVOKE ALL ON purchase_lines FROM reporting;
ALTER SEQUENCE purchase_numbers RESTART WITH 5000;
ALTER TABLE tariffs REPLICA IDENTITY USING INDEX tariffs_pkey;
ALTER TABLE orders REPLICA IDENTITY FULL; --! replica-identity-full
