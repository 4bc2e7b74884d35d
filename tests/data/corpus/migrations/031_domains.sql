-- Style: domains.
CREATE DOMAIN email_address AS text CHECK (VALUE LIKE '%@%'); --! domain-with-constraint
CREATE DOMAIN plain_name AS text;
ALTER DOMAIN plain_name ADD CONSTRAINT short CHECK (length(VALUE) < 80); --! domain-constraint-not-valid
ALTER DOMAIN plain_name ADD CONSTRAINT trimmed CHECK (VALUE = trim(VALUE)) NOT VALID;
ALTER DOMAIN plain_name VALIDATE CONSTRAINT trimmed;
CREATE TABLE contacts (id bigint PRIMARY KEY, mail email_address, name plain_name);
