import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  Timelines,
  type CommittedRow,
  type Draft,
  type TimelinesDeps,
} from '../../src/domain/timeline/timeline.ts';
import { noFailpoints } from '../../src/lib/failpoint.ts';
import { IdSource, slotOfKey } from '../../src/lib/id.ts';
import { limits } from '../../src/limits.ts';
import { Shards } from '../../src/storage/shards.ts';
import { StillClock, type Storage } from './accounts.ts';
import { CountingShards } from './counting-sql.ts';

/** A writer over shards of its own, and the rows it committed. */
export interface OpenTimelines extends AsyncDisposable {
  readonly clock: StillClock;
  readonly shards: Shards;
  readonly ids: IdSource;
  readonly timelines: Timelines;
  readonly rows: CommittedRow[];
  /** The statements of all writers since the last call. */
  takeTexts(): string[];
  /** The id of a user that only the writer knows of. */
  newUserId(): bigint;
  /**
   * The writer of another node on the same shards.
   * @param onCommitted told of its rows; else they come to the same list.
   */
  node(onCommitted?: (row: CommittedRow) => void): Promise<Timelines>;
}

/** A text to be sent. */
export function textDraft(
  conversationId: bigint,
  actorId: bigint,
  clientMessageId: string,
  text = clientMessageId,
): Extract<Draft, { kind: 'send' }> {
  const content = { kind: 'TEXT', text } as const;
  return { kind: 'send', conversationId, actorId, clientMessageId, content, replyToSeq: null };
}

export async function openTimelines(
  storage: Storage,
  rules: { largeGroupMembers?: number; groupMembersMax?: number } = {},
  bounds: Partial<TimelinesDeps['limits']> = {},
): Promise<OpenTimelines> {
  const folder = await mkdtemp(path.join(tmpdir(), 'fastim-timelines-'));
  const clock = new StillClock();
  const shards = new Shards(await storage.shards(folder), {
    clock,
    onLost: (reason) => {
      throw reason;
    },
  });
  await shards.start();
  const ids = new IdSource({ clock });
  const rows: CommittedRow[] = [];
  const counting = new CountingShards(shards);
  const deps: TimelinesDeps = {
    shards: counting,
    ids,
    clock,
    failpoints: noFailpoints,
    limits: { ...limits, ...bounds },
    rules: {
      recallWindowMs: 120_000,
      editWindowMs: 86_400_000,
      largeGroupMembers: 200,
      groupMembersMax: 100_000,
      ...rules,
    },
    onCommitted: (row) => rows.push(row),
    onUnknown: () => undefined,
  };
  const timelines = new Timelines(deps);
  await timelines.start();
  const nodes = [timelines];
  let users = 0;
  return {
    clock,
    shards,
    ids,
    timelines,
    rows,
    takeTexts: () => counting.takeTexts(),
    newUserId: () => ids.next(slotOfKey('user', String((users += 1)))),
    async node(onCommitted = deps.onCommitted) {
      const other = new Timelines({ ...deps, onCommitted });
      await other.start();
      nodes.push(other);
      return other;
    },
    async [Symbol.asyncDispose]() {
      for (const node of nodes) await node.stop(1_000);
      await shards.stop(1_000);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
