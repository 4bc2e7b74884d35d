BEGIN;

ALTER TABLE orders ADD COLUMN note text;

COMMENT ON COLUMN orders.note IS 'What the customer wrote in the delivery field';

INSERT INTO schema_migrations (version, name)
VALUES ('003', 'add_order_note')
ON CONFLICT DO NOTHING;

COMMIT;
