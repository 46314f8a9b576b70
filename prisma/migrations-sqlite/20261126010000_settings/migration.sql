-- CreateTable
CREATE TABLE "Setting" (
    "name" BLOB NOT NULL PRIMARY KEY,
    "revision" INT NOT NULL,
    "value" TEXT NOT NULL,
    "changedAtMs" BIGINT NOT NULL
);
