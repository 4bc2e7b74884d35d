-- Style: Flyway repeatable.
CREATE OR REPLACE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;
CREATE OR REPLACE FUNCTION order_total(o bigint) RETURNS numeric LANGUAGE sql STABLE AS
    'SELECT sum(quantity * price) FROM order_items WHERE order_id = o';
CREATE TRIGGER users_touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch_updated_at(); --! create-trigger
CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, updated_at timestamptz NOT NULL DEFAULT now());
CREATE TRIGGER notes_touch BEFORE UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
ALTER TABLE orders DISABLE TRIGGER ALL; --! create-trigger
ALTER TABLE orders ENABLE TRIGGER ALL; --! create-trigger
CREATE FUNCTION purge_sessions() RETURNS void LANGUAGE sql SECURITY DEFINER AS --! security-definer-search-path
    'DELETE FROM sessions WHERE expires_at < now()';
CREATE FUNCTION whoami() RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
    'SELECT session_user::text';
CREATE OR REPLACE PROCEDURE close_day(day date) LANGUAGE plpgsql AS $$
BEGIN
    UPDATE orders SET state = 'void' WHERE state = 'open' AND created_at::date = day;
END
$$;
CREATE FUNCTION make_partition(month date) RETURNS void LANGUAGE plpgsql AS $$ --! ddl-hidden-in-code
BEGIN
    EXECUTE format('CREATE TABLE events_%s PARTITION OF events', to_char(month, 'YYYY_MM'));
END
$$;
CREATE RULE protect_audit AS ON DELETE TO audit_events DO INSTEAD NOTHING; --! create-rule
