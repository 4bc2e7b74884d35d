BEGIN;
CREATE TABLE fine (a int);

	DROP TABLE  public."Ord ers", /* x */ other;
DROP TABLE IF EXISTS orders; DROP TABLE orders;
ALTER TABLE orders
   ADD COLUMN größe text NOT NULL,
   DROP COLUMN "naïve%,:";
CREATE TABEL x (a int);
SELECT 'äöü', 1; CREATE INDEX i ON orders (a);
DO $$ BEGIN DROP TABLE hidden; END $$;
SELEC 1;
SELECT * FROM JSON_TABLE('[]', '$' COLUMNS (a int PATH '$'));
SELECT 'a very long line, of which only the part around the finding is shown, since nobody reads the rest'; DROP TABLE far_to_the_right; SELECT 'and this is the rest of it, which is not shown to anybody who reads the report';
CREATE INDEXX b ON c;
COMMIT;
