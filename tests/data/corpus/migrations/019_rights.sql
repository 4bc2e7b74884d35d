-- Style: rights beside tables.
GRANT USAGE ON SCHEMA catalog TO app, reporting;
GRANT SELECT ON ALL TABLES IN SCHEMA catalog TO reporting;
ALTER DEFAULT PRIVILEGES IN SCHEMA catalog GRANT SELECT ON TABLES TO reporting;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT SELECT ON catalog.products TO PUBLIC; --! grant-to-public
GRANT ALL PRIVILEGES ON orders TO app; --! grant-to-public
ALTER TABLE orders OWNER TO shop_owner; --! owner-change
CREATE ROLE reporting_ro NOLOGIN;
CREATE ROLE ops LOGIN PASSWORD 'changeme'; --! password-literal
ALTER ROLE ops SUPERUSER; --! role-attributes
GRANT reporting_ro TO ops;
GRANT reporting_ro TO lead WITH ADMIN OPTION; --! role-attributes
ALTER ROLE app SET search_path = catalog; --! alter-system
ALTER DATABASE shop SET statement_timeout = '30s'; --! alter-system
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_documents ON documents USING (owner = current_user);
ALTER TABLE documents DISABLE ROW LEVEL SECURITY; --! rls-disable
DROP POLICY own_documents ON documents; --! rls-disable
