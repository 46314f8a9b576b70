import { describe, expect, it } from 'vitest';
import { readAudienceOf } from '../../src/realtime/inbox/read-audience.ts';
import { storages } from '../support/accounts.ts';
import { openTimelines } from '../support/timelines.ts';

describe.each(storages)('whom a read is told, on $name', (storage) => {
  it.skipIf(!storage.isHere())(
    'are all members of a small group, by numbers that JSON can say',
    async () => {
      await using world = await openTimelines(storage);
      const [ann, bob] = [world.newUserId(), world.newUserId()] as const;
      const { conversationId } = await world.timelines.submit({
        kind: 'createGroup',
        appId: 'default',
        actorId: ann,
        clientRequestId: 'group',
        title: 'Climbers',
        memberIds: [bob],
      });
      const audience = await readAudienceOf(
        world.shards.of(conversationId),
        { conversationId, userId: bob },
        50,
      );
      expect(audience?.membersEventNo).toBe(1);
      const recipients = [...(audience?.recipients ?? [])].sort((a, b) =>
        a.userId < b.userId ? -1 : 1,
      );
      const both = [ann, bob].sort((a, b) => (a < b ? -1 : 1));
      expect(
        recipients.map(({ userId, joinedSeq, joinedEventNo }) => [
          userId,
          joinedSeq,
          joinedEventNo,
        ]),
      ).toEqual(both.map((userId) => [userId, 1, 1]));
    },
  );
});
