-- Style: guards written by hand.
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM settings WHERE name = 'tax') THEN
        INSERT INTO settings (name, value) VALUES ('tax', '19');
    END IF;
END
$$;
DO $$ --! ddl-hidden-in-code
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'mood') THEN
        CREATE TYPE mood AS ENUM ('sad', 'ok');
    END IF;
END
$$;
CALL close_day('2026-01-31'); --! ddl-hidden-in-code
SELECT order_total(1);
