-- Which state of a red packet was told last, and when: of several nodes one tells it.
ALTER TABLE "UntoldRedPacket" ADD COLUMN "toldVersion" INT NOT NULL DEFAULT 0;
ALTER TABLE "UntoldRedPacket" ADD COLUMN "toldAtMs" BIGINT NOT NULL DEFAULT 0;
