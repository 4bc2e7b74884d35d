/*
  Warnings:

  - You are about to drop the column `name` on the `User` table. All the data in the column will be lost.
  - Added the required column `firstName` to the `User` table without a default value.
*/
-- AlterTable
ALTER TABLE "User" DROP COLUMN "name", --! drop-column not-null-needs-default
ADD COLUMN     "firstName" TEXT NOT NULL;
-- CreateIndex
CREATE INDEX "User_firstName_idx" ON "User"("firstName"); --! add-index-concurrently
-- AlterTable
ALTER TABLE "Post" ALTER COLUMN "title" SET DATA TYPE TEXT; --! change-column-type
-- DropIndex
DROP INDEX "Post_authorId_idx"; --! drop-index-concurrently
-- AlterEnum
ALTER TYPE "Role" ADD VALUE 'GUEST';
-- AddForeignKey
ALTER TABLE "Comment" ADD CONSTRAINT "Comment_postId_fkey" FOREIGN KEY ("postId") REFERENCES "Post"("id") ON DELETE RESTRICT ON UPDATE CASCADE; --! add-fk-not-valid fk-index
