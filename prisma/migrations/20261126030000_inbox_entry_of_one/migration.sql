-- AlterTable: an entry of one message, as most are, names neither its count nor its kind
ALTER TABLE `InboxEntry`
    MODIFY `count` INTEGER NULL,
    MODIFY `kind` TINYINT NULL;
