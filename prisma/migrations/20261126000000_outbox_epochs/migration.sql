-- A row is done in an epoch of the inbox logs, and undone in the next.
ALTER TABLE `OutboxRow` ADD COLUMN `doneIn` BIGINT NULL;
UPDATE `OutboxRow` SET `doneIn` = 0 WHERE `doneAtMs` IS NOT NULL;
CREATE INDEX `OutboxRow_doneIn_doneAtMs_idx` ON `OutboxRow`(`doneIn`, `doneAtMs`);
DROP INDEX `OutboxRow_doneAtMs_idx` ON `OutboxRow`;
