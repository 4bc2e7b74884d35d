-- Style: Flyway.
ALTER TABLE users RENAME TO accounts; --! rename-table
ALTER TABLE accounts RENAME COLUMN email TO mail; --! rename-column
ALTER SCHEMA catalog RENAME TO shop_catalog; --! rename-or-move-schema
ALTER TABLE orders SET SCHEMA sales; --! rename-or-move-schema
ALTER TYPE order_state RENAME VALUE 'void' TO 'cancelled'; --! rename-enum-value
ALTER INDEX orders_pkey RENAME TO pk_orders;
ALTER SEQUENCE order_numbers RENAME TO order_number_seq;
ALTER VIEW totals RENAME TO order_totals; --! rename-table
