import type { Clock } from '../../lib/clock.ts';
import type { Failpoints } from '../../lib/failpoint.ts';
import type { Logger } from '../../lib/log.ts';
import type { Shard, Shards } from '../../storage/shards.ts';
import { UntoldRounds } from '../../storage/untold-rounds.ts';
import type { AppendJob, Telling } from './append-job.ts';
import type { InboxLog, LogPlace } from './inbox-log.ts';
import type { ListedMember } from '../outbox/member-lists.ts';
import { readAudienceOf } from './read-audience.ts';

export interface ReadNoticesDeps {
  readonly shards: Shards;
  readonly clock: Clock;
  readonly failpoints: Failpoints;
  readonly log: Logger;
  readonly inboxLog: InboxLog;
  /** Whether all that changed the members of a conversation has come to the logs of a place. */
  readonly areMembersTold: (place: LogPlace, conversationId: bigint) => Promise<boolean>;
  /** Up to how many members a group tells all of them who has read. */
  readonly receiptGroupMembers: number;
  readonly limits: {
    readonly readCoalesceMs: number;
    readonly readNoticesBatchMax: number;
    readonly readNoticesPollMs: number;
  };
}

interface UntoldRead {
  readonly conversationId: bigint;
  readonly userId: bigint;
  readonly readSeq: number;
}

/** A read shows no message. */
const nothingShown: Telling = { messages: new Map(), regimes: new Map() };

type ReadJob = Extract<AppendJob, { kind: 'read' }>;

/**
 * Tells read positions: at most once a second for each member and conversation, and always the last one. They are told at once
 * where nothing was told within the last second, else when that is over: so two positions of one member are never closer than
 * that. The positions still to be told are rows of the conversation's shard, deleted only where they are still what was told.
 */
export function readNotices(deps: ReadNoticesDeps): UntoldRounds<UntoldRead> {
  return new UntoldRounds({
    ...deps,
    failure: 'reads.tell_failed',
    rowsMax: deps.limits.readNoticesBatchMax,
    read: untoldAfter,
    tell: (shard, rows, beganMs) => tellAll(deps, shard, rows, beganMs),
    apartMs: deps.limits.readCoalesceMs,
    againMs: deps.limits.readCoalesceMs,
    pollMs: deps.limits.readNoticesPollMs,
  });
}

async function tellAll(
  deps: ReadNoticesDeps,
  source: Shard,
  rows: readonly UntoldRead[],
  atMs: number,
): Promise<boolean> {
  const { failpoints } = deps;
  const failures: unknown[] = [];
  failpoints.reach('before-read-told');
  const outcomes = await Promise.all(rows.map((row) => tell(deps, row, atMs, failures)));
  const told = outcomes.filter((row) => row !== null);
  if (told.length > 0) failpoints.reach('before-read-forgotten');
  await forget(source, told);
  if (failures.length > 0) throw failures[0];
  return told.length < rows.length;
}

/** Null where it must be told again later; those whom it could be told to have heard it then. */
async function tell(
  deps: ReadNoticesDeps,
  read: UntoldRead,
  atMs: number,
  failures: unknown[],
): Promise<UntoldRead | null> {
  const { inboxLog, receiptGroupMembers, shards } = deps;
  const shard = shards.of(read.conversationId);
  const audience = await readAudienceOf(shard, read, receiptGroupMembers);
  if (!audience) return read;
  const byPlace = new Map<LogPlace, ListedMember[]>();
  for (const recipient of audience.recipients) {
    const place = inboxLog.placeOf(recipient.userId);
    const known = byPlace.get(place);
    if (known) known.push(recipient);
    else byPlace.set(place, [recipient]);
  }
  const outcomes = await Promise.all(
    [...byPlace].map(([place, there]) =>
      append(deps, place, read, there, audience.membersEventNo, atMs).catch((error: unknown) => {
        failures.push(error);
        return false;
      }),
    ),
  );
  return outcomes.every((isDone) => isDone) ? read : null;
}

async function append(
  { inboxLog, areMembersTold }: ReadNoticesDeps,
  place: LogPlace,
  { conversationId, userId, readSeq }: UntoldRead,
  recipients: readonly ListedMember[],
  membersEventNo: number,
  atMs: number,
): Promise<boolean> {
  const job: ReadJob = {
    kind: 'read',
    event: { kind: 'read', conversationId, userId, readSeq },
    membersEventNo,
    atMs,
    recipients,
    telling: nothingShown,
  };
  const first = await inboxLog.append(place, job);
  if (first.behind.size === 0) return !first.isStale;
  // Nothing there guards that conversation yet, or not any more.
  if (!(await areMembersTold(place, conversationId))) return false;
  const whole = { ...job, isWhole: true, onlyIn: first.epoch };
  const { behind, isStale } = await inboxLog.append(place, whole);
  return !isStale && behind.size === 0;
}

/** Positions still to be told, in the order of their keys. */
function untoldAfter(
  source: Shard,
  after: UntoldRead | null,
  rowsMax: number,
): Promise<UntoldRead[]> {
  const { conversationId, userId } = after ?? { conversationId: 0n, userId: 0n };
  return source.sql.query<UntoldRead>(
    'SELECT conversationId, userId, readSeq FROM UntoldRead' +
      ' WHERE conversationId > ? OR (conversationId = ? AND userId > ?)' +
      ' ORDER BY conversationId, userId LIMIT ?',
    [conversationId, conversationId, userId, rowsMax],
  );
}

/** Forgets positions that were told, where they are still the newest. */
async function forget(source: Shard, told: readonly UntoldRead[]): Promise<void> {
  if (told.length === 0) return;
  const text = 'DELETE FROM UntoldRead WHERE conversationId = ? AND userId = ? AND readSeq = ?';
  await source.sql.transaction((tx) =>
    tx.finish(
      told.map(({ conversationId, userId, readSeq }) => ({
        text,
        params: [conversationId, userId, readSeq],
      })),
    ),
  );
}
