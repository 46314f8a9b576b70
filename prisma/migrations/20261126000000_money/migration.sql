-- CreateTable
CREATE TABLE `Wallet` (
    `userId` BIGINT NOT NULL,
    `balance` BIGINT NOT NULL,
    `entryNo` INTEGER NOT NULL,

    PRIMARY KEY (`userId`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;

-- CreateTable
CREATE TABLE `WalletEntry` (
    `userId` BIGINT NOT NULL,
    `entryNo` INTEGER NOT NULL,
    `kind` TINYINT NOT NULL,
    `amount` BIGINT NOT NULL,
    `balance` BIGINT NOT NULL,
    `cause` VARBINARY(320) NOT NULL,
    `redPacketId` BIGINT NULL,
    `reason` VARCHAR(256) NULL,
    `createdAtMs` BIGINT NOT NULL,

    UNIQUE INDEX `WalletEntry_userId_cause_key`(`userId`, `cause`),
    PRIMARY KEY (`userId`, `entryNo`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;

-- CreateTable
CREATE TABLE `UntoldWallet` (
    `userId` BIGINT NOT NULL,
    `firstEntryNo` INTEGER NOT NULL,
    `lastEntryNo` INTEGER NOT NULL,

    PRIMARY KEY (`userId`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;

-- CreateTable
CREATE TABLE `Transfer` (
    `id` BIGINT NOT NULL,
    `kind` TINYINT NOT NULL,
    `redPacketId` BIGINT NOT NULL,
    `userId` BIGINT NOT NULL,
    `amount` BIGINT NOT NULL,
    `createdAtMs` BIGINT NOT NULL,

    PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;

-- CreateTable
CREATE TABLE `UnderwayTransfer` (
    `id` BIGINT NOT NULL,
    `createdAtMs` BIGINT NOT NULL,

    PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;

-- CreateTable
CREATE TABLE `RedPacketSend` (
    `transferId` BIGINT NOT NULL,
    `senderId` BIGINT NOT NULL,
    `conversationId` BIGINT NOT NULL,
    `clientMessageId` VARBINARY(256) NOT NULL,
    `payloadHash` VARBINARY(32) NOT NULL,
    `redPacketId` BIGINT NOT NULL,
    `kind` TINYINT NOT NULL,
    `total` BIGINT NOT NULL,
    `count` INTEGER NOT NULL,
    `greeting` VARCHAR(128) NOT NULL,
    `recipientId` BIGINT NULL,
    `shareMax` BIGINT NOT NULL,
    `ttlMs` BIGINT NOT NULL,
    `createdAtMs` BIGINT NOT NULL,
    `state` TINYINT NOT NULL,
    `seq` INTEGER NULL,
    `faultCode` VARCHAR(32) NULL,
    `faultMessage` VARCHAR(255) NULL,

    UNIQUE INDEX `RedPacketSend_senderId_conversationId_clientMessageId_key`(`senderId`, `conversationId`, `clientMessageId`),
    PRIMARY KEY (`transferId`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;

-- CreateTable
CREATE TABLE `RedPacket` (
    `id` BIGINT NOT NULL,
    `conversationId` BIGINT NOT NULL,
    `seq` INTEGER NULL,
    `senderId` BIGINT NOT NULL,
    `kind` TINYINT NOT NULL,
    `state` TINYINT NOT NULL,
    `greeting` VARCHAR(128) NOT NULL,
    `total` BIGINT NOT NULL,
    `count` INTEGER NOT NULL,
    `shares` LONGTEXT NOT NULL,
    `claimedCount` INTEGER NOT NULL,
    `claimedTotal` BIGINT NOT NULL,
    `refundedTotal` BIGINT NOT NULL,
    `recipientId` BIGINT NULL,
    `senderMayClaim` BOOLEAN NOT NULL,
    `bestShareNo` INTEGER NULL,
    `createdAtMs` BIGINT NOT NULL,
    `expiresAtMs` BIGINT NOT NULL,
    `faultCode` VARCHAR(32) NULL,
    `faultMessage` VARCHAR(255) NULL,

    INDEX `RedPacket_state_expiresAtMs_idx`(`state`, `expiresAtMs`),
    PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;

-- CreateTable
CREATE TABLE `RedPacketClaim` (
    `redPacketId` BIGINT NOT NULL,
    `userId` BIGINT NOT NULL,
    `shareNo` INTEGER NOT NULL,
    `amount` BIGINT NOT NULL,
    `claimedAtMs` BIGINT NOT NULL,
    `transferId` BIGINT NOT NULL,

    UNIQUE INDEX `RedPacketClaim_redPacketId_shareNo_key`(`redPacketId`, `shareNo`),
    PRIMARY KEY (`redPacketId`, `userId`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;

-- CreateTable
CREATE TABLE `UntoldRedPacket` (
    `redPacketId` BIGINT NOT NULL,
    `conversationId` BIGINT NOT NULL,
    `seq` INTEGER NOT NULL,
    `version` INTEGER NOT NULL,

    PRIMARY KEY (`redPacketId`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;
