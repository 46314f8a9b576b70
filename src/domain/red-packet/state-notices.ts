import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { limits } from '../../limits.ts';
import type { Shard, Shards } from '../../storage/shards.ts';
import { marks } from '../../storage/sql.ts';
import { UntoldRounds } from '../../storage/untold-rounds.ts';
import type { TimelineWriter } from '../timeline/timeline.ts';

export interface StateNoticesDeps {
  readonly shards: Pick<Shards, 'all'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly timelines: TimelineWriter;
  readonly coalesceMs: number;
}

interface UntoldRow {
  readonly redPacketId: bigint;
  readonly conversationId: bigint;
  readonly seq: number;
  readonly version: number;
  readonly toldVersion: number;
  readonly toldAtMs: bigint;
}

/**
 * Tells the states of packets, as changes of their messages: at most once a second for each, and always the last one, whatever
 * the number of nodes. What is still to be told are rows of the conversation's shard. A node takes one upon itself by its time
 * before it tells it, and nobody else does within that second; the commit that tells it says which state that was; and a second
 * later the row is deleted, where nothing came since.
 */
export function stateNotices(deps: StateNoticesDeps): UntoldRounds<UntoldRow> {
  return new UntoldRounds({
    ...deps,
    failure: 'red_packet.tell_failed',
    rowsMax: limits.redPacketNoticesBatchMax,
    read: untoldAfter,
    tell: (shard, rows) => tellAll(deps, shard, rows),
    apartMs: deps.coalesceMs,
    againMs: deps.coalesceMs,
    pollMs: limits.moneyNoticesPollMs,
  });
}

/** What is told now is forgotten a second later, so every row asks for another round. */
async function tellAll(
  deps: StateNoticesDeps,
  shard: Shard,
  rows: readonly UntoldRow[],
): Promise<boolean> {
  const nowMs = deps.clock.now();
  const due = rows.filter(({ toldAtMs }) => isOver(Number(toldAtMs), nowMs, deps.coalesceMs));
  const isTold = ({ version, toldVersion }: UntoldRow): boolean => version <= toldVersion;
  const untold = due.filter((row) => !isTold(row));
  const taken = await take(shard, untold, nowMs);
  const outcomes = await Promise.allSettled(taken.map((row) => tell(deps.timelines, row)));
  await forget(shard, due.filter(isTold));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
  return true;
}

/** Whether the second after somebody told is over; a time to come was another clock's, and counts for nothing. */
function isOver(toldAtMs: number, nowMs: number, coalesceMs: number): boolean {
  return toldAtMs <= nowMs - coalesceMs || toldAtMs > nowMs;
}

/** @returns those that no other node has taken meanwhile. */
async function take(
  { sql }: Shard,
  rows: readonly UntoldRow[],
  nowMs: number,
): Promise<readonly UntoldRow[]> {
  if (rows.length === 0) return rows;
  const text = 'UPDATE UntoldRedPacket SET toldAtMs = ? WHERE redPacketId = ? AND toldAtMs = ?';
  const results = await sql.transaction((tx) =>
    tx.finish(
      rows.map(({ redPacketId, toldAtMs }) => ({ text, params: [nowMs, redPacketId, toldAtMs] })),
    ),
  );
  return rows.filter((_row, index) => results[index]?.affectedRows === 1);
}

async function tell(
  timelines: TimelineWriter,
  { redPacketId, conversationId, seq, version }: UntoldRow,
): Promise<void> {
  await timelines.submit({
    kind: 'tellRedPacket',
    conversationId,
    seq,
    redPacketId,
    beside: [
      {
        text: 'UPDATE UntoldRedPacket SET toldVersion = ? WHERE redPacketId = ? AND toldVersion < ?',
        params: [version, redPacketId, version],
      },
    ],
  });
}

/** Forgets what was told, where nothing came since. */
async function forget({ sql }: Shard, rows: readonly UntoldRow[]): Promise<void> {
  if (rows.length === 0) return;
  await sql.execute(
    'DELETE FROM UntoldRedPacket WHERE version <= toldVersion' +
      ` AND redPacketId IN (${marks(rows.length)})`,
    rows.map(({ redPacketId }) => redPacketId),
  );
}

function untoldAfter(
  { sql }: Shard,
  after: UntoldRow | null,
  rowsMax: number,
): Promise<UntoldRow[]> {
  return sql.query<UntoldRow>(
    'SELECT redPacketId, conversationId, seq, version, toldVersion, toldAtMs FROM UntoldRedPacket' +
      ' WHERE redPacketId > ? ORDER BY redPacketId LIMIT ?',
    [after?.redPacketId ?? 0n, rowsMax],
  );
}
