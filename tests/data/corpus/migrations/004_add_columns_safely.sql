-- Style: Flyway. What adds columns without a rewrite or a scan.
ALTER TABLE users ADD COLUMN locale text;
ALTER TABLE users ADD COLUMN time_zone text NOT NULL DEFAULT 'UTC';
ALTER TABLE users ADD COLUMN IF NOT EXISTS last_seen_at timestamptz;
ALTER TABLE users ADD COLUMN terms_accepted_at timestamptz DEFAULT now();
ALTER TABLE orders ADD COLUMN note text NOT NULL DEFAULT '', ADD COLUMN internal_note text;
ALTER TABLE orders ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}'::jsonb;
ALTER TABLE orders ALTER COLUMN note SET DEFAULT 'none';
ALTER TABLE orders ALTER COLUMN internal_note DROP DEFAULT;
ALTER TABLE orders ALTER COLUMN note SET STATISTICS 500;
ALTER TABLE orders SET (fillfactor = 90);
COMMENT ON COLUMN orders.internal_note IS 'Never shown to customers';
ALTER TABLE catalog.products ADD COLUMN weight_g integer;
ALTER TABLE catalog.products ADD COLUMN released_on date DEFAULT '2026-01-01';
