-- Style: spring cleaning.
DROP TABLE legacy_sessions; --! drop-table
DROP TABLE IF EXISTS tmp_import, tmp_export CASCADE; --! drop-table drop-table drop-cascade
ALTER TABLE users DROP COLUMN age; --! drop-column
ALTER TABLE users DROP COLUMN IF EXISTS fax, DROP COLUMN IF EXISTS telex; --! drop-column drop-column
DROP VIEW open_orders; --! drop-routine-or-view
DROP FUNCTION IF EXISTS calc_total(bigint); --! drop-routine-or-view
DROP TRIGGER IF EXISTS touch ON orders; --! drop-routine-or-view
DROP TYPE catalog.product_state; --! drop-type
DROP SCHEMA scratch CASCADE; --! drop-schema
DROP SEQUENCE order_numbers; --! drop-routine-or-view
DROP MATERIALIZED VIEW sales_by_day; --! drop-table
TRUNCATE audit_events; --! truncate
TRUNCATE users CASCADE; --! truncate truncate-cascade
DROP EXTENSION IF EXISTS hstore;
