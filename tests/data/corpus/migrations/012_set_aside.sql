-- Style: dropping in two releases.
ALTER TABLE legacy_carts RENAME TO legacy_carts_deprecated;
COMMENT ON TABLE legacy_carts_deprecated IS 'dropped after release 14';
COMMENT ON COLUMN users.fax IS 'deprecated, dropped after release 14';
REVOKE ALL ON legacy_carts_deprecated FROM app;
