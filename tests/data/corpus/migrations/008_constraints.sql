-- Style: numbered SQL, without a transaction.
ALTER TABLE orders ADD CONSTRAINT orders_total_positive CHECK (total >= 0); --! add-check-not-valid
ALTER TABLE orders ADD CONSTRAINT orders_currency CHECK (currency ~ '^[A-Z]{3}$') NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT orders_currency;
ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE (email); --! add-unique-using-index
CREATE UNIQUE INDEX CONCURRENTLY uq_users_handle ON users (handle);
ALTER TABLE users ADD CONSTRAINT uq_users_handle UNIQUE USING INDEX uq_users_handle;
ALTER TABLE audit_events ADD PRIMARY KEY (id); --! add-pk-using-index
ALTER TABLE bookings ADD CONSTRAINT no_double_booking
    EXCLUDE USING gist (room_id WITH =, during WITH &&); --! add-exclusion-constraint
ALTER TABLE users ADD COLUMN age int CHECK (age > 0); --! add-column-inline-constraint
ALTER TABLE users ADD COLUMN referral_code text UNIQUE; --! add-column-inline-constraint
ALTER TABLE orders DROP CONSTRAINT orders_state_check; --! drop-constraint
ALTER TABLE orders RENAME CONSTRAINT orders_currency TO orders_currency_check;
