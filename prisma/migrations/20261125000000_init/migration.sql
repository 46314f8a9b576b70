-- CreateTable
CREATE TABLE `ShardFact` (
    `name` VARBINARY(64) NOT NULL,
    `value` LONGTEXT NOT NULL,

    PRIMARY KEY (`name`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;

-- CreateTable
CREATE TABLE `User` (
    `id` BIGINT NOT NULL,
    `appId` VARBINARY(64) NOT NULL,
    `username` VARBINARY(32) NOT NULL,
    `displayName` VARCHAR(64) NOT NULL,
    `passwordHash` VARCHAR(255) NOT NULL,
    `createdAtMs` BIGINT NOT NULL,

    UNIQUE INDEX `User_appId_username_key`(`appId`, `username`),
    PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;

-- CreateTable
CREATE TABLE `Session` (
    `id` BIGINT NOT NULL,
    `userId` BIGINT NOT NULL,
    `deviceId` VARBINARY(512) NOT NULL,
    `deviceName` VARCHAR(128) NULL,
    `platform` TINYINT NOT NULL,
    `createdAtMs` BIGINT NOT NULL,
    `lastSeenAtMs` BIGINT NOT NULL,
    `refreshGeneration` INTEGER NOT NULL,
    `refreshRotatedAtMs` BIGINT NOT NULL,
    `endedAtMs` BIGINT NULL,
    `endReason` TINYINT NULL,

    INDEX `Session_userId_endedAtMs_idx`(`userId`, `endedAtMs`),
    INDEX `Session_endedAtMs_idx`(`endedAtMs`),
    PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;

-- CreateTable
CREATE TABLE `Conversation` (
    `id` BIGINT NOT NULL,
    `appId` VARBINARY(64) NOT NULL,
    `kind` TINYINT NOT NULL,
    `originKey` VARBINARY(320) NOT NULL,
    `originHash` VARBINARY(32) NULL,
    `title` VARCHAR(128) NULL,
    `createdBy` BIGINT NOT NULL,
    `createdAtMs` BIGINT NOT NULL,
    `lastSeq` INTEGER NOT NULL,
    `changeSeq` INTEGER NOT NULL,
    `eventNo` INTEGER UNSIGNED NOT NULL,
    `membersEventNo` INTEGER UNSIGNED NOT NULL,
    `memberCount` INTEGER NOT NULL,
    `isLarge` BOOLEAN NOT NULL,
    `activityAtMs` BIGINT NOT NULL,
    `movedAtMs` BIGINT NOT NULL,

    UNIQUE INDEX `Conversation_originKey_key`(`originKey`),
    PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;

-- CreateTable
CREATE TABLE `Member` (
    `conversationId` BIGINT NOT NULL,
    `userId` BIGINT NOT NULL,
    `role` TINYINT NOT NULL,
    `joinedAtMs` BIGINT NOT NULL,
    `joinedSeq` INTEGER NOT NULL,
    `joinedEventNo` INTEGER UNSIGNED NOT NULL,
    `readSeq` INTEGER NOT NULL,
    `isListed` BOOLEAN NOT NULL,

    INDEX `Member_userId_conversationId_idx`(`userId`, `conversationId`),
    PRIMARY KEY (`conversationId`, `userId`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;

-- CreateTable
CREATE TABLE `Message` (
    `conversationId` BIGINT NOT NULL,
    `seq` INTEGER NOT NULL,
    `senderId` BIGINT NULL,
    `clientMessageId` VARBINARY(256) NULL,
    `payloadHash` VARBINARY(32) NULL,
    `kind` TINYINT NOT NULL,
    `content` LONGTEXT NOT NULL,
    `createdAtMs` BIGINT NOT NULL,
    `editedAtMs` BIGINT NULL,
    `recalledAtMs` BIGINT NULL,
    `recalledBy` BIGINT NULL,
    `changeSeq` INTEGER NOT NULL,
    `replyToSeq` INTEGER NULL,

    UNIQUE INDEX `Message_conversationId_senderId_clientMessageId_key`(`conversationId`, `senderId`, `clientMessageId`),
    PRIMARY KEY (`conversationId`, `seq`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;

-- CreateTable
CREATE TABLE `MessageChange` (
    `conversationId` BIGINT NOT NULL,
    `changeSeq` INTEGER NOT NULL,
    `seq` INTEGER NOT NULL,

    PRIMARY KEY (`conversationId`, `changeSeq`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;

-- CreateTable
CREATE TABLE `OutboxRow` (
    `id` BIGINT NOT NULL AUTO_INCREMENT,
    `createdAtMs` BIGINT NOT NULL,
    `doneAtMs` BIGINT NULL,
    `body` LONGTEXT NOT NULL,

    INDEX `OutboxRow_doneAtMs_idx`(`doneAtMs`),
    PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;

-- CreateTable
CREATE TABLE `UntoldRead` (
    `conversationId` BIGINT NOT NULL,
    `userId` BIGINT NOT NULL,
    `readSeq` INTEGER NOT NULL,
    `atMs` BIGINT NOT NULL,

    PRIMARY KEY (`conversationId`, `userId`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;

-- CreateTable
CREATE TABLE `InboxHead` (
    `userId` BIGINT NOT NULL,
    `epoch` BIGINT NOT NULL,
    `lastOffset` BIGINT NOT NULL,
    `trimmedOffset` BIGINT NOT NULL,
    `lastSeenAtMs` BIGINT NOT NULL,

    PRIMARY KEY (`userId`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;

-- CreateTable
CREATE TABLE `InboxEntry` (
    `userId` BIGINT NOT NULL,
    `lastOffset` BIGINT NOT NULL,
    `count` INTEGER NOT NULL,
    `kind` TINYINT NOT NULL,
    `conversationId` BIGINT NOT NULL,
    `position` INTEGER NOT NULL,
    `seq` INTEGER NULL,
    `subjectId` BIGINT NULL,
    `atMs` BIGINT NOT NULL,

    PRIMARY KEY (`userId`, `lastOffset`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;

-- CreateTable
CREATE TABLE `Watermark` (
    `conversationId` BIGINT NOT NULL,
    `nextEventNo` INTEGER UNSIGNED NOT NULL,
    `membersEventNo` INTEGER UNSIGNED NOT NULL,

    PRIMARY KEY (`conversationId`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;

-- CreateTable
CREATE TABLE `ToldRead` (
    `conversationId` BIGINT NOT NULL,
    `userId` BIGINT NOT NULL,
    `readSeq` INTEGER NOT NULL,

    PRIMARY KEY (`conversationId`, `userId`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;
