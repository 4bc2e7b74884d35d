-- Style: numbered SQL; the safe way first, then the quick one.
ALTER TABLE users ADD CONSTRAINT users_locale_not_null CHECK (locale IS NOT NULL) NOT VALID;
ALTER TABLE users VALIDATE CONSTRAINT users_locale_not_null;
ALTER TABLE users ALTER COLUMN locale SET NOT NULL;
ALTER TABLE users DROP CONSTRAINT users_locale_not_null;
ALTER TABLE users ALTER COLUMN display_name SET NOT NULL; --! set-not-null-scan
ALTER TABLE users ADD COLUMN country text NOT NULL; --! not-null-needs-default
ALTER TABLE orders ALTER COLUMN user_id DROP NOT NULL; --! drop-not-null
ALTER TABLE orders ADD COLUMN channel text NOT NULL DEFAULT 'web';
