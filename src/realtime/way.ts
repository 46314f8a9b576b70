import type { CommittedRow } from '../domain/timeline/timeline.ts';
import type { Clock } from '../lib/clock.ts';
import type { Failpoints } from '../lib/failpoint.ts';
import type { Lifecycle } from '../lib/lifecycle.ts';
import type { Logger } from '../lib/log.ts';
import type { limits as allLimits } from '../limits.ts';
import type { Shards } from '../storage/shards.ts';
import { happeningsOf } from './inbox/happenings.ts';
import type { InboxLog, LogPlace } from './inbox/inbox-log.ts';
import { SqlInboxLog } from './inbox/inbox-log.sql.ts';
import type { MemberLists } from './outbox/member-lists.ts';
import { Outbox } from './outbox/outbox.ts';
import type { Router } from './inbox/router.ts';

export interface WayDeps {
  readonly shards: Shards;
  readonly clock: Clock;
  readonly log: Logger;
  readonly failpoints: Failpoints;
  readonly limits: typeof allLimits;
  readonly router: Router;
  readonly memberLists: MemberLists;
  /** Told of rows of which perhaps nobody heard at their commit. */
  readonly onFound: (rows: readonly CommittedRow[]) => void;
}

/** The way of what is committed to the inboxes. */
export interface Way {
  readonly inboxLog: InboxLog;
  readonly outbox: Lifecycle & {
    /** A row that the writer has committed; rows of a shard come in the order of their commits. */
    offer(row: CommittedRow): void;
    /** A commit's outcome is unknown: whether there is a row only the outbox knows. */
    doubt(shardIndex: number): void;
  };
  /** Whether all that changed the members of a conversation has come to the logs of a place. */
  areMembersTold(place: LogPlace, conversationId: bigint): Promise<boolean>;
  /** In the order in which they start. */
  readonly parts: readonly Lifecycle[];
}

/** The way on one node: by logs in the shards' own tables, to streams of this process. */
export function wayOfOneNode(deps: WayDeps): Way {
  const { router, shards } = deps;
  const inboxLog = new SqlInboxLog({
    ...deps,
    deliver: (appended, telling) => router.deliverAll(appended, happeningsOf(telling)),
    onRecovered: (shard) => router.recheck(router.userIds.filter((id) => shards.of(id) === shard)),
  });
  const outbox = new Outbox({ ...deps, inboxLog, isHeard: (userId) => router.has(userId) });
  return {
    inboxLog,
    outbox,
    // One lane takes all rows to a place, in their order.
    areMembersTold: () => Promise.resolve(true),
    parts: [inboxLog, outbox],
  };
}
