-- Style: what Rails sends for a change.
ALTER TABLE "articles" ADD "slug" character varying;
CREATE UNIQUE INDEX "index_articles_on_slug" ON "articles" ("slug"); --! add-index-concurrently
ALTER TABLE "articles" ADD "views" integer DEFAULT 0 NOT NULL;
ALTER TABLE "articles" ALTER COLUMN "body" SET NOT NULL; --! set-not-null-scan
ALTER TABLE "comments" ADD CONSTRAINT "fk_rails_03de2dc08c" FOREIGN KEY ("user_id") REFERENCES "users" ("id"); --! add-fk-not-valid
ALTER TABLE "articles" RENAME COLUMN "body" TO "content"; --! rename-column
DROP TABLE "drafts"; --! drop-table
CREATE INDEX CONCURRENTLY "index_comments_on_user_id" ON "comments" ("user_id");
