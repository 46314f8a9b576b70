-- RedefineTable: an entry of one message, as most are, names neither its count nor its kind
CREATE TABLE "new_InboxEntry" (
    "userId" BIGINT NOT NULL,
    "lastOffset" BIGINT NOT NULL,
    "count" INT,
    "kind" INT,
    "conversationId" BIGINT NOT NULL,
    "position" INT NOT NULL,
    "seq" INT,
    "subjectId" BIGINT,
    "atMs" BIGINT NOT NULL,

    PRIMARY KEY ("userId", "lastOffset")
) WITHOUT ROWID;
INSERT INTO "new_InboxEntry" SELECT * FROM "InboxEntry";
DROP TABLE "InboxEntry";
ALTER TABLE "new_InboxEntry" RENAME TO "InboxEntry";
