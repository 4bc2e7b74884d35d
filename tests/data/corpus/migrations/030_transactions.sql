-- Style: transactions gone wrong.
BEGIN;
ALTER TABLE orders ADD COLUMN gift boolean NOT NULL DEFAULT false;
ALTER TABLE users ADD COLUMN gift_card text; --! many-tables-one-transaction
CREATE INDEX CONCURRENTLY orders_gift ON orders (gift); --! concurrently-in-transaction
ALTER TABLE orders ADD CONSTRAINT orders_gift_ok CHECK (gift IS NOT NULL) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT orders_gift_ok; --! validate-in-same-transaction
COMMIT;
COMMIT; --! tx-nesting
BEGIN; --! tx-uncommitted
BEGIN; --! tx-nesting
SAVEPOINT before;
ALTER TABLE orders ADD COLUMN wrapped boolean;
RELEASE before;
COMMENT ON TABLE users IS 'People'; --! comment-takes-lock
