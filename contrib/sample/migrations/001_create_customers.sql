-- Run by: psql -v ON_ERROR_STOP=1 -f 001_create_customers.sql
-- The first migration also creates the table in which migrations record themselves.
BEGIN;

CREATE TABLE IF NOT EXISTS schema_migrations (
    version    text PRIMARY KEY,
    name       text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE customers (
    id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    mail text NOT NULL UNIQUE
);

INSERT INTO schema_migrations (version, name)
VALUES ('001', 'create_customers')
ON CONFLICT DO NOTHING;

COMMIT;
