-- BIGINT, INT, BOOLEAN are names that say what a value is read as; INTEGER PRIMARY KEY, the row id, is read as BIGINT.

-- CreateTable
CREATE TABLE "ShardFact" (
    "name" BLOB NOT NULL,
    "value" TEXT NOT NULL,

    PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "User" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "appId" BLOB NOT NULL,
    "username" BLOB NOT NULL,
    "displayName" TEXT NOT NULL,
    "passwordHash" TEXT NOT NULL,
    "createdAtMs" BIGINT NOT NULL
);

-- CreateIndex
CREATE UNIQUE INDEX "User_appId_username_key" ON "User"("appId", "username");

-- CreateTable
CREATE TABLE "Session" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "userId" BIGINT NOT NULL,
    "deviceId" BLOB NOT NULL,
    "deviceName" TEXT,
    "platform" INT NOT NULL,
    "createdAtMs" BIGINT NOT NULL,
    "lastSeenAtMs" BIGINT NOT NULL,
    "refreshGeneration" INT NOT NULL,
    "refreshRotatedAtMs" BIGINT NOT NULL,
    "endedAtMs" BIGINT,
    "endReason" INT
);

-- CreateIndex
CREATE INDEX "Session_userId_endedAtMs_idx" ON "Session"("userId", "endedAtMs");

-- CreateIndex
CREATE INDEX "Session_endedAtMs_idx" ON "Session"("endedAtMs");

-- CreateTable
CREATE TABLE "Conversation" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "appId" BLOB NOT NULL,
    "kind" INT NOT NULL,
    "originKey" BLOB NOT NULL,
    "originHash" BLOB,
    "title" TEXT,
    "createdBy" BIGINT NOT NULL,
    "createdAtMs" BIGINT NOT NULL,
    "lastSeq" INT NOT NULL,
    "changeSeq" INT NOT NULL,
    "eventNo" INT NOT NULL,
    "membersEventNo" INT NOT NULL,
    "memberCount" INT NOT NULL,
    "isLarge" BOOLEAN NOT NULL,
    "activityAtMs" BIGINT NOT NULL,
    "movedAtMs" BIGINT NOT NULL
);

-- CreateIndex
CREATE UNIQUE INDEX "Conversation_originKey_key" ON "Conversation"("originKey");

-- CreateTable
CREATE TABLE "Member" (
    "conversationId" BIGINT NOT NULL,
    "userId" BIGINT NOT NULL,
    "role" INT NOT NULL,
    "joinedAtMs" BIGINT NOT NULL,
    "joinedSeq" INT NOT NULL,
    "joinedEventNo" INT NOT NULL,
    "readSeq" INT NOT NULL,
    "isListed" BOOLEAN NOT NULL,

    PRIMARY KEY ("conversationId", "userId")
) WITHOUT ROWID;

-- CreateIndex
CREATE INDEX "Member_userId_conversationId_idx" ON "Member"("userId", "conversationId");

-- CreateTable
CREATE TABLE "Message" (
    "conversationId" BIGINT NOT NULL,
    "seq" INT NOT NULL,
    "senderId" BIGINT,
    "clientMessageId" BLOB,
    "payloadHash" BLOB,
    "kind" INT NOT NULL,
    "content" TEXT NOT NULL,
    "createdAtMs" BIGINT NOT NULL,
    "editedAtMs" BIGINT,
    "recalledAtMs" BIGINT,
    "recalledBy" BIGINT,
    "changeSeq" INT NOT NULL,
    "replyToSeq" INT,

    PRIMARY KEY ("conversationId", "seq")
);

-- CreateIndex
CREATE UNIQUE INDEX "Message_conversationId_senderId_clientMessageId_key" ON "Message"("conversationId", "senderId", "clientMessageId");

-- CreateTable
CREATE TABLE "MessageChange" (
    "conversationId" BIGINT NOT NULL,
    "changeSeq" INT NOT NULL,
    "seq" INT NOT NULL,

    PRIMARY KEY ("conversationId", "changeSeq")
) WITHOUT ROWID;

-- CreateTable
CREATE TABLE "OutboxRow" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "createdAtMs" BIGINT NOT NULL,
    "doneAtMs" BIGINT,
    "body" TEXT NOT NULL
);

-- CreateIndex
CREATE INDEX "OutboxRow_doneAtMs_idx" ON "OutboxRow"("doneAtMs");

-- CreateTable
CREATE TABLE "UntoldRead" (
    "conversationId" BIGINT NOT NULL,
    "userId" BIGINT NOT NULL,
    "readSeq" INT NOT NULL,
    "atMs" BIGINT NOT NULL,

    PRIMARY KEY ("conversationId", "userId")
) WITHOUT ROWID;

-- CreateTable
CREATE TABLE "InboxHead" (
    "userId" INTEGER NOT NULL PRIMARY KEY,
    "epoch" BIGINT NOT NULL,
    "lastOffset" BIGINT NOT NULL,
    "trimmedOffset" BIGINT NOT NULL,
    "lastSeenAtMs" BIGINT NOT NULL
);

-- CreateTable
CREATE TABLE "InboxEntry" (
    "userId" BIGINT NOT NULL,
    "lastOffset" BIGINT NOT NULL,
    "count" INT NOT NULL,
    "kind" INT NOT NULL,
    "conversationId" BIGINT NOT NULL,
    "position" INT NOT NULL,
    "seq" INT,
    "subjectId" BIGINT,
    "atMs" BIGINT NOT NULL,

    PRIMARY KEY ("userId", "lastOffset")
) WITHOUT ROWID;

-- CreateTable
CREATE TABLE "Watermark" (
    "conversationId" INTEGER NOT NULL PRIMARY KEY,
    "nextEventNo" INT NOT NULL,
    "membersEventNo" INT NOT NULL
);

-- CreateTable
CREATE TABLE "ToldRead" (
    "conversationId" BIGINT NOT NULL,
    "userId" BIGINT NOT NULL,
    "readSeq" INT NOT NULL,

    PRIMARY KEY ("conversationId", "userId")
) WITHOUT ROWID;
