-- Style: exceptions with reasons.
-- ddlgate: allow drop-column nobody reads it since release 12
ALTER TABLE users DROP COLUMN telex; --! drop-column
ALTER TABLE users DROP COLUMN fax_number; --! drop-column
-- ddlgate: allow drop-table
DROP TABLE scratch_1; --! drop-table exception-comment
CREATE TABLE fine_1 (id bigint PRIMARY KEY);
