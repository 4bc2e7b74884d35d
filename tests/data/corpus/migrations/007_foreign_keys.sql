-- Style: numbered SQL.
ALTER TABLE invoices ADD CONSTRAINT invoices_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders (id); --! add-fk-not-valid fk-index
CREATE INDEX CONCURRENTLY payments_order_id ON payments (order_id);
ALTER TABLE payments ADD CONSTRAINT payments_order_id_fkey
    FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE RESTRICT NOT VALID;
ALTER TABLE payments VALIDATE CONSTRAINT payments_order_id_fkey;
ALTER TABLE refunds ADD FOREIGN KEY (payment_id) REFERENCES payments; --! add-fk-not-valid fk-index
ALTER TABLE refunds DROP CONSTRAINT refunds_payment_id_fkey; --! drop-fk-locks-parent drop-constraint
ALTER TABLE shipments ADD COLUMN order_id bigint REFERENCES orders (id); --! fk-index
CREATE INDEX CONCURRENTLY shipments_carrier_id ON shipments (carrier_id);
ALTER TABLE shipments ADD COLUMN carrier_id bigint REFERENCES carriers (id);
