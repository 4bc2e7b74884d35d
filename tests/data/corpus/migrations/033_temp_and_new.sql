-- Style: staging data in tables of the file itself.
CREATE TEMP TABLE incoming (sku text, price numeric);
INSERT INTO incoming (sku, price) VALUES ('a', 1), ('b', 2);
UPDATE incoming SET price = price * 100;
DELETE FROM incoming;
DROP TABLE incoming;
CREATE TABLE prices_new (LIKE prices INCLUDING ALL);
INSERT INTO prices_new SELECT * FROM prices;
UPDATE prices_new SET currency = 'EUR';
CREATE INDEX prices_new_sku ON prices_new (sku);
ALTER TABLE prices_new ADD CONSTRAINT positive CHECK (price > 0);
ALTER TABLE prices_new ALTER COLUMN price TYPE numeric(12, 2);
ALTER TABLE prices RENAME TO prices_old;
ALTER TABLE prices_new RENAME TO prices;
CREATE UNLOGGED TABLE import_buffer (line text); --! unlogged-table
