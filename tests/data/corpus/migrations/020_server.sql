-- Style: things that belong to administrators.
CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE EXTENSION postgres_fdw; --! extension-list
CREATE SERVER warehouse FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '10.0.0.9'); --! external-link
CREATE USER MAPPING FOR app SERVER warehouse OPTIONS (user 'x', password 'y'); --! external-link
CREATE PUBLICATION shop_orders FOR TABLE orders, order_items;
CREATE PUBLICATION everything FOR ALL TABLES; --! external-link
ALTER SYSTEM SET max_connections = 500; --! alter-system
CREATE EVENT TRIGGER no_drops ON sql_drop EXECUTE FUNCTION forbid(); --! event-trigger-change
COPY users TO '/tmp/users.csv' CSV HEADER; --! copy-program-or-file
COPY orders FROM PROGRAM 'gunzip -c /tmp/orders.gz'; --! copy-program-or-file
SET session_replication_role = replica; --! guard-setting-change
SET ROLE shop_owner; --! set-role
RESET ROLE;
LOCK TABLE orders IN ACCESS EXCLUSIVE MODE; --! explicit-lock-table
LOCK TABLE orders IN SHARE ROW EXCLUSIVE MODE;
