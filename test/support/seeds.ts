import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  Conversations,
  type ConversationsDeps,
} from '../../src/domain/conversation/conversation.ts';
import { Messages, type MessagesDeps } from '../../src/domain/message/message.ts';
import type { Viewer } from '../../src/domain/session/viewer.ts';
import {
  contentText,
  conversationKindCodes,
  memberColumns,
  messageColumns,
  messageKindCodes,
  roleCodes,
} from '../../src/domain/timeline/rows.ts';
import {
  directKey,
  groupKey,
  type DraftContent,
  type Role,
  type TimelineQueue,
  type TimelineWriter,
} from '../../src/domain/timeline/timeline.ts';
import { IdSource } from '../../src/lib/id.ts';
import { utf8 } from '../../src/lib/text.ts';
import { Shards } from '../../src/storage/shards.ts';
import { rowMarks } from '../../src/storage/sql.ts';
import { StillClock, type Storage } from './accounts.ts';
import { CountingShards } from './counting-sql.ts';

export interface SeedMember {
  readonly userId: bigint;
  readonly role?: Role;
  readonly joinedSeq?: number;
  readonly readSeq?: number;
  readonly isListed?: boolean;
}

export interface SeedMessage {
  readonly senderId?: bigint | null;
  readonly content?: DraftContent;
  readonly changeSeq?: number;
  readonly recalledBy?: bigint;
  readonly replyToSeq?: number;
}

export interface SeedConversation {
  readonly isLarge?: boolean;
  /** Default: one on slot 0. */
  readonly slot?: number;
  readonly kind?: 'DIRECT' | 'GROUP';
  readonly clientRequestId?: string;
  readonly members: readonly SeedMember[];
  /** How many, or what differs from a plain text of the first member. */
  readonly messages?: number | readonly SeedMessage[];
  /** The log: which seq took changeSeq 1, 2, 3 … */
  readonly changes?: readonly number[];
  readonly activityAtMs?: number;
}

/** Shards of a test's own, which count statements, and rows put there by hand. */
export interface Seeds extends AsyncDisposable {
  readonly clock: StillClock;
  /** Not counted. */
  readonly plain: Shards;
  readonly shards: CountingShards;
  readonly ids: IdSource;
  /** Somebody of whom no row tells. */
  viewer(): Viewer;
  /** @returns the conversation's id. */
  conversation(seed: SeedConversation): Promise<bigint>;
}

export async function openSeeds(storage: Storage): Promise<Seeds> {
  const folder = await mkdtemp(path.join(tmpdir(), 'fastim-seeds-'));
  const clock = new StillClock();
  const plain = new Shards(await storage.shards(folder), {
    clock,
    onLost: (reason) => {
      throw reason;
    },
  });
  await plain.start();
  const ids = new IdSource({ clock });
  return {
    clock,
    plain,
    shards: new CountingShards(plain),
    ids,
    viewer: () => ({
      userId: ids.next(0),
      sessionId: ids.next(0),
      appId: 'default',
      expiresAtMs: clock.now() + 900_000,
    }),
    conversation: async (seed) => {
      const id = ids.next(seed.slot ?? 0);
      await seedConversation(plain, id, seed, clock.now());
      return id;
    },
    async [Symbol.asyncDispose]() {
      await plain.stop(0);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function seedConversation(
  shards: Shards,
  id: bigint,
  seed: SeedConversation,
  now: number,
): Promise<void> {
  const { sql } = shards.of(id);
  const { kind = 'GROUP', members, changes = [] } = seed;
  const [first, second = first] = members.map(({ userId }) => userId);
  if (first === undefined || second === undefined) throw new Error('a conversation has members');
  const messages =
    typeof seed.messages === 'number'
      ? Array.from({ length: seed.messages }, (): SeedMessage => ({}))
      : (seed.messages ?? []);
  await sql.execute(`INSERT INTO Conversation VALUES ${rowMarks(1, 16)}`, [
    id,
    utf8('default'),
    conversationKindCodes[kind],
    kind === 'DIRECT'
      ? directKey(first, second)
      : groupKey(first, seed.clientRequestId ?? String(id)),
    null,
    kind === 'DIRECT' ? null : `group ${id}`,
    first,
    now,
    messages.length,
    changes.length,
    messages.length + changes.length + 1,
    1,
    members.length,
    seed.isLarge ?? false,
    seed.activityAtMs ?? now,
    now,
  ]);
  await sql.execute(
    `INSERT INTO Member (${memberColumns.join(', ')}) VALUES ${rowMarks(members.length, memberColumns.length)}`,
    members.flatMap(({ userId, role = 'MEMBER', joinedSeq = 1, readSeq, isListed = true }) => [
      id,
      userId,
      roleCodes[role],
      now,
      joinedSeq,
      1,
      readSeq ?? joinedSeq - 1,
      isListed,
    ]),
  );
  const rows = messages.map((message, index) => messageValues(id, index + 1, message, first, now));
  for (let at = 0; at < rows.length; at += 500) {
    const part = rows.slice(at, at + 500);
    await sql.execute(
      `INSERT INTO Message (${messageColumns.join(', ')}) VALUES ${rowMarks(part.length, messageColumns.length)}`,
      part.flat(),
    );
  }
  for (let at = 0; at < changes.length; at += 500) {
    const part = changes.slice(at, at + 500);
    await sql.execute(
      `INSERT INTO MessageChange (conversationId, changeSeq, seq) VALUES ${rowMarks(part.length, 3)}`,
      part.flatMap((seq, index) => [id, at + index + 1, seq]),
    );
  }
}

function messageValues(
  id: bigint,
  seq: number,
  seed: SeedMessage,
  defaultSender: bigint,
  now: number,
) {
  const { senderId = defaultSender, content = { kind: 'TEXT', text: `message ${seq}` } } = seed;
  const isRecalled = seed.recalledBy !== undefined;
  const system = { kind: 'SYSTEM', event: 'CREATED', title: null, role: null } as const;
  const shown = senderId === null ? { ...system, actorId: defaultSender, userIds: [] } : content;
  return [
    id,
    seq,
    senderId,
    senderId === null ? null : utf8(`client ${seq}`),
    messageKindCodes[shown.kind],
    isRecalled ? 'null' : contentText(shown),
    now + seq,
    null,
    isRecalled ? now + seq + 1 : null,
    seed.recalledBy ?? null,
    seed.changeSeq ?? 0,
    seed.replyToSeq ?? null,
  ];
}

/** For what must be decided, or read, without the writer. */
export const noWriter: TimelineWriter & TimelineQueue = {
  busy: () => null,
  submit: () => Promise.reject(new Error('nothing was to be written')),
};

/** Both doors over seeds, with a list of the shards in which reads were committed. */
export interface Doors {
  readonly conversations: Conversations;
  readonly messages: Messages;
  readonly readsCommitted: number[];
}

export function doorsOf(
  seeds: Seeds,
  deps: Partial<Pick<ConversationsDeps, 'users' | 'limits'> & Pick<MessagesDeps, 'timelines'>> = {},
): Doors {
  const readsCommitted: number[] = [];
  const { shards, clock } = seeds;
  const { timelines = noWriter } = deps;
  return {
    conversations: new Conversations({
      shards,
      timelines,
      users: deps.users ?? { byIds: () => Promise.resolve(new Map()) },
      limits: deps.limits ?? { membershipsPerUserMax: 5_000 },
    }),
    messages: new Messages({
      shards,
      timelines,
      clock,
      onReadsCommitted: (index) => readsCommitted.push(index),
    }),
    readsCommitted,
  };
}
