import { expect, test } from 'vitest';
import { createLogger } from '../../src/lib/log.ts';
import { noFailpoints } from '../../src/lib/failpoint.ts';
import { limits } from '../../src/limits.ts';
import { RedisInboxLog } from '../../src/realtime/inbox/inbox-log.redis.ts';
import { Arrivals } from '../../src/realtime/outbox/arrivals.ts';
import { Carrier } from '../../src/realtime/outbox/carrier.ts';
import { MemberLists } from '../../src/realtime/outbox/member-lists.ts';
import { RedisBuckets } from '../../src/storage/redis-buckets.ts';
import { storages } from '../support/accounts.ts';
import { entriesOf, openRedisLog } from '../support/inbox-logs.ts';
import { mariadbAvailable, redisAvailable } from '../support/machine.ts';
import { openTimelines } from '../support/timelines.ts';

const isHere = mariadbAvailable() && redisAvailable();

test.skipIf(!isHere)(
  'what was done before Redis was emptied does not count, where the append itself finds that out',
  async () => {
    const storage = storages.find(({ name }) => name.includes('MariaDB'));
    if (!storage) throw new Error('no MariaDB');
    await using world = await openTimelines(storage);
    const { shards, timelines, rows } = world;
    // It asks for the epoch only when it is told that it is another.
    await using logs = await openRedisLog({ redisEpochPollMs: 3_600_000 });
    const { log, buckets } = logs;
    const ann = world.newUserId();
    const { conversationId } = await timelines.submit({
      kind: 'createGroup',
      appId: 'default',
      actorId: ann,
      clientRequestId: 'group',
      title: 'Climbers',
      memberIds: [],
    });
    const source = shards.of(conversationId);
    const [place] = log.places;
    if (!place) throw new Error('a log has a place');
    const arrivals = new Arrivals(1);
    const carrier = new Carrier({
      shards,
      source,
      place,
      inboxLog: log,
      memberLists: new MemberLists({ shards, usersMax: 1_000 }),
      arrivals,
      epoch: () => buckets.epoch,
      failpoints: noFailpoints,
      earlierIdsMax: 1_000,
    });
    await log.open(ann);
    const send = (key: string) =>
      timelines.submit({
        kind: 'send',
        conversationId,
        actorId: ann,
        clientMessageId: key,
        content: { kind: 'TEXT', text: key },
        replyToSeq: null,
      });
    await send('2');
    await carrier.carry(rows);
    // As their node says it.
    await source.sql.execute('UPDATE OutboxRow SET doneAtMs = 1, doneIn = ?', [buckets.epoch]);
    arrivals.marked(arrivals.takeDone());

    await buckets.all[0]?.call('FLUSHALL');
    const deps = { log: createLogger({ level: 'silent' }), limits };
    const elsewhere = new RedisBuckets([logs.redis.url], deps);
    await elsewhere.start();
    const other = { ...world, buckets: elsewhere, failpoints: noFailpoints, limits };
    await new RedisInboxLog(other).open(ann);
    await elsewhere.stop();
    await send('3');
    const last = rows.slice(-1);
    await expect(carrier.carry(last)).rejects.toThrow();
    await carrier.carry(last);
    expect(await entriesOf(log, ann)).toEqual([
      '1 conversation',
      '2 added 1+1',
      '3 added 2+1',
      '4 added 3+1',
    ]);
  },
);
