BEGIN;
--
-- Add field isbn to book
--
ALTER TABLE "library_book" ADD COLUMN "isbn" varchar(13) DEFAULT '' NOT NULL;
ALTER TABLE "library_book" ALTER COLUMN "isbn" DROP DEFAULT;
--
-- Alter field title on book
--
ALTER TABLE "library_book" ALTER COLUMN "title" TYPE varchar(500); --! change-column-type
--
-- Add field publisher to book
--
ALTER TABLE "library_book" ADD COLUMN "publisher_id" bigint NULL CONSTRAINT "library_book_publisher_fk" REFERENCES "library_publisher" ("id") DEFERRABLE INITIALLY DEFERRED;
SET CONSTRAINTS "library_book_publisher_fk" IMMEDIATE;
CREATE INDEX "library_book_publisher_id" ON "library_book" ("publisher_id"); --! add-index-concurrently
ALTER TABLE "library_book" RENAME COLUMN "published" TO "published_on"; --! rename-column
COMMIT;
