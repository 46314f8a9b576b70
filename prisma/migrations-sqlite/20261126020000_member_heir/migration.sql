-- Who inherits a group when its owner leaves.
CREATE INDEX "Member_conversationId_role_joinedSeq_userId_idx" ON "Member"("conversationId", "role", "joinedSeq", "userId");
