-- Style: numbered SQL; values are committed before they are used, or not.
ALTER TYPE order_state ADD VALUE IF NOT EXISTS 'returned';
ALTER TYPE order_state ADD VALUE 'lost' AFTER 'returned';
BEGIN;
ALTER TYPE order_state ADD VALUE 'refunded';
UPDATE orders SET state = 'refunded' WHERE refund_id IS NOT NULL; --! enum-value-used-in-transaction
COMMIT;
CREATE TYPE ticket_state AS ENUM ('new', 'open', 'closed');
CREATE TABLE tickets (
    id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    state ticket_state NOT NULL DEFAULT 'new'
);
