-- CreateTable
CREATE TABLE `Setting` (
    `name` VARBINARY(64) NOT NULL,
    `revision` INTEGER NOT NULL,
    `value` LONGTEXT NOT NULL,
    `changedAtMs` BIGINT NOT NULL,

    PRIMARY KEY (`name`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;
