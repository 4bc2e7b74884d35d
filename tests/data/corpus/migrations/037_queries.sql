-- Style: queries that stand in migrations and change no schema.
SELECT count(*) FROM users;
SELECT setval('order_numbers', 1000);
SELECT pg_advisory_xact_lock(4711);
SHOW server_version;
EXPLAIN SELECT * FROM orders;
SET statement_timeout = '15min';
SET LOCAL work_mem = '64MB';
INSERT INTO settings (name, value) VALUES ('a', '1'), ('b', '2') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
UPDATE settings SET value = '2' WHERE name = 'a';
DELETE FROM settings WHERE name = 'b';
ANALYZE;
NOTIFY migrated, '037';
