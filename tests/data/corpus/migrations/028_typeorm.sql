CREATE TABLE "category" ("id" uuid NOT NULL DEFAULT uuid_generate_v4(), "name" character varying NOT NULL, CONSTRAINT "PK_9c4e4a89e3674fc9f382d733f03" PRIMARY KEY ("id"));
CREATE TABLE "question" ("id" uuid NOT NULL DEFAULT uuid_generate_v4(), "title" character varying NOT NULL, "categoryId" uuid, CONSTRAINT "PK_21e5786aa0ea704ae185a79b2d5" PRIMARY KEY ("id"));
CREATE INDEX "IDX_question_category" ON "question" ("categoryId");
ALTER TABLE "question" ADD CONSTRAINT "FK_8a9cc05722fd5f1a21b4c2ee3a5" FOREIGN KEY ("categoryId") REFERENCES "category"("id") ON DELETE NO ACTION ON UPDATE NO ACTION;
ALTER TABLE "user" ADD "nickname" character varying;
ALTER TABLE "user" DROP COLUMN "age"; --! drop-column
ALTER TABLE "user" ADD "age" integer;
ALTER TABLE "user" ALTER COLUMN "email" DROP NOT NULL; --! drop-not-null
