-- Style: data in migrations.
UPDATE users SET time_zone = 'Europe/Berlin' WHERE country = 'DE';
UPDATE users SET locale = 'en'; --! mutation-without-where
DELETE FROM sessions; --! mutation-without-where
DELETE FROM sessions WHERE expires_at < now() - interval '30 days';
DELETE FROM settings WHERE true; --! mutation-without-where
INSERT INTO settings (name, value) VALUES ('theme', 'dark') ON CONFLICT (name) DO NOTHING;
INSERT INTO roles (name) SELECT DISTINCT role FROM users;
WITH gone AS (DELETE FROM carts WHERE updated_at < '2020-01-01' RETURNING id) SELECT count(*) FROM gone;
BEGIN;
ALTER TABLE users ADD COLUMN full_name text;
UPDATE users SET full_name = first_name || ' ' || last_name WHERE full_name IS NULL; --! ddl-and-dml-mixed
COMMIT;
UPDATE products SET price = 1, price = 2 WHERE id = 7; --! duplicate-column
