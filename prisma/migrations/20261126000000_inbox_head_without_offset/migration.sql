-- AlterTable: where a log ends, its newest entry says
ALTER TABLE `InboxHead` DROP COLUMN `lastOffset`;
