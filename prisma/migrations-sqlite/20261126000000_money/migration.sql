-- CreateTable
CREATE TABLE "Wallet" (
    "userId" INTEGER NOT NULL PRIMARY KEY,
    "balance" BIGINT NOT NULL,
    "entryNo" INT NOT NULL
);

-- CreateTable
CREATE TABLE "WalletEntry" (
    "userId" BIGINT NOT NULL,
    "entryNo" INT NOT NULL,
    "kind" INT NOT NULL,
    "amount" BIGINT NOT NULL,
    "balance" BIGINT NOT NULL,
    "cause" BLOB NOT NULL,
    "redPacketId" BIGINT,
    "reason" TEXT,
    "createdAtMs" BIGINT NOT NULL,

    PRIMARY KEY ("userId", "entryNo")
);

-- CreateTable
CREATE TABLE "UntoldWallet" (
    "userId" INTEGER NOT NULL PRIMARY KEY,
    "firstEntryNo" INT NOT NULL,
    "lastEntryNo" INT NOT NULL
);

-- CreateTable
CREATE TABLE "Transfer" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "kind" INT NOT NULL,
    "redPacketId" BIGINT NOT NULL,
    "userId" BIGINT NOT NULL,
    "amount" BIGINT NOT NULL,
    "createdAtMs" BIGINT NOT NULL
);

-- CreateTable
CREATE TABLE "UnderwayTransfer" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "createdAtMs" BIGINT NOT NULL
);

-- CreateTable
CREATE TABLE "RedPacketSend" (
    "transferId" INTEGER NOT NULL PRIMARY KEY,
    "senderId" BIGINT NOT NULL,
    "conversationId" BIGINT NOT NULL,
    "clientMessageId" BLOB NOT NULL,
    "payloadHash" BLOB NOT NULL,
    "redPacketId" BIGINT NOT NULL,
    "kind" INT NOT NULL,
    "total" BIGINT NOT NULL,
    "count" INT NOT NULL,
    "greeting" TEXT NOT NULL,
    "recipientId" BIGINT,
    "shareMax" BIGINT NOT NULL,
    "ttlMs" BIGINT NOT NULL,
    "createdAtMs" BIGINT NOT NULL,
    "state" INT NOT NULL,
    "seq" INT,
    "faultCode" TEXT,
    "faultMessage" TEXT
);

-- CreateTable
CREATE TABLE "RedPacket" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "conversationId" BIGINT NOT NULL,
    "seq" INT,
    "senderId" BIGINT NOT NULL,
    "kind" INT NOT NULL,
    "state" INT NOT NULL,
    "greeting" TEXT NOT NULL,
    "total" BIGINT NOT NULL,
    "count" INT NOT NULL,
    "shares" TEXT NOT NULL,
    "claimedCount" INT NOT NULL,
    "claimedTotal" BIGINT NOT NULL,
    "refundedTotal" BIGINT NOT NULL,
    "recipientId" BIGINT,
    "senderMayClaim" BOOLEAN NOT NULL,
    "bestShareNo" INT,
    "createdAtMs" BIGINT NOT NULL,
    "expiresAtMs" BIGINT NOT NULL,
    "faultCode" TEXT,
    "faultMessage" TEXT
);

-- CreateTable
CREATE TABLE "RedPacketClaim" (
    "redPacketId" BIGINT NOT NULL,
    "userId" BIGINT NOT NULL,
    "shareNo" INT NOT NULL,
    "amount" BIGINT NOT NULL,
    "claimedAtMs" BIGINT NOT NULL,
    "transferId" BIGINT NOT NULL,

    PRIMARY KEY ("redPacketId", "userId")
);

-- CreateTable
CREATE TABLE "UntoldRedPacket" (
    "redPacketId" INTEGER NOT NULL PRIMARY KEY,
    "conversationId" BIGINT NOT NULL,
    "seq" INT NOT NULL,
    "version" INT NOT NULL
);

-- CreateIndex
CREATE UNIQUE INDEX "WalletEntry_userId_cause_key" ON "WalletEntry"("userId", "cause");

-- CreateIndex
CREATE UNIQUE INDEX "RedPacketSend_senderId_conversationId_clientMessageId_key" ON "RedPacketSend"("senderId", "conversationId", "clientMessageId");

-- CreateIndex
CREATE INDEX "RedPacket_state_expiresAtMs_idx" ON "RedPacket"("state", "expiresAtMs");

-- CreateIndex
CREATE UNIQUE INDEX "RedPacketClaim_redPacketId_shareNo_key" ON "RedPacketClaim"("redPacketId", "shareNo");
