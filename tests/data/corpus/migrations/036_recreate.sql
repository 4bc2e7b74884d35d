-- Style: force: true.
DROP TABLE IF EXISTS widgets; --! drop-table drop-and-recreate
CREATE TABLE widgets (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
DROP VIEW IF EXISTS widget_names;
CREATE VIEW widget_names AS SELECT name FROM widgets;
DROP TRIGGER IF EXISTS widgets_touch ON widgets;
CREATE TRIGGER widgets_touch BEFORE UPDATE ON widgets FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
DROP FUNCTION IF EXISTS widget_count();
CREATE FUNCTION widget_count() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM widgets';
ALTER TABLE parts DROP CONSTRAINT IF EXISTS parts_weight, ADD CONSTRAINT parts_weight CHECK (weight > 0) NOT VALID;
ALTER TABLE parts VALIDATE CONSTRAINT parts_weight;
