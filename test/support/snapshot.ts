import { isDeepStrictEqual } from 'node:util';
import { BrokenPromise } from './broken-promise.ts';
import type { TestUser } from './clients.ts';
import {
  listDocument,
  messagesDocument,
  type ShownMessage,
  type ShownTimeline,
} from './replica-documents.ts';
import { lastSeqOf, Replica, type Kept, type Listed, type Rules } from './replica.ts';

/** What a user's queries answer, and the cursor from which events bring it up to date. */
export interface Snapshot {
  readonly cursor: string;
  readonly replica: Replica;
  /** In the order of the list, as the server says it where it could be derived. */
  readonly listed: readonly ShownTimeline[];
  readonly unreadCount: number;
  /** By conversation and seq. */
  readonly readCounts: ReadonlyMap<string, number | undefined>;
}

/** The cursor first, then all that the user sees, by queries that page through everything. */
export async function snapshot(user: TestUser, rules: Rules): Promise<Snapshot> {
  const { viewer } = await user.query(listDocument, { after: null });
  const { balance } = viewer.wallet;
  const replica = new Replica(user, rules, balance, () => listed(user));
  const timelines = await restOfList(user, viewer.conversations);
  const readCounts = new Map<string, number | undefined>();
  for (const timeline of timelines) {
    const kept = await replica.take(timeline);
    kept.changeSeq = timeline.changeSeq;
    for (const message of await wholeHistory(user, timeline)) {
      readCounts.set(`${timeline.id} ${message.seq}`, message.readCount);
      replica.put(kept, message);
    }
  }
  const { unreadCount, inbox } = viewer;
  return { cursor: inbox.endCursor, replica, listed: timelines, unreadCount, readCounts };
}

async function listed(user: TestUser): Promise<Listed> {
  const { viewer } = await user.query(listDocument, { after: null });
  const timelines = await restOfList(user, viewer.conversations);
  return { timelines, balance: viewer.wallet.balance };
}

async function restOfList(
  user: TestUser,
  first: { edges: readonly { node: ShownTimeline }[]; pageInfo: { hasNextPage: boolean } },
): Promise<ShownTimeline[]> {
  const all = new Map(first.edges.map(({ node }) => [node.id, node]));
  let page = first as Awaited<ReturnType<typeof nextPage>>;
  while (page.pageInfo.hasNextPage) {
    page = await nextPage(user, page.pageInfo.endCursor);
    // What moved up meanwhile comes twice.
    for (const { node } of page.edges) if (!all.has(node.id)) all.set(node.id, node);
  }
  return [...all.values()];
}

async function nextPage(user: TestUser, after: string | null) {
  return (await user.query(listDocument, { after })).viewer.conversations;
}

async function wholeHistory(
  user: TestUser,
  { id, messages }: ShownTimeline,
): Promise<ShownMessage[]> {
  const all = messages.edges.map(({ node }) => node);
  for (let page = messages; page.pageInfo.hasPreviousPage;) {
    const before = page.pageInfo.startCursor ?? '';
    const { conversation } = await user.query(messagesDocument, { id, last: 100, before });
    if (!conversation) break;
    page = conversation.messages;
    all.unshift(...page.edges.map(({ node }) => node));
  }
  return all;
}

/** What a client shows of a replica, all of it derived: to be compared. */
function pictureOf(replica: Replica, expected?: Replica): object {
  const { user, conversations } = replica;
  const shown = [...conversations.values()].map((kept) => {
    const fresh = expected?.conversations.get(kept.id);
    const own = kept.members.get(user.id);
    const lastSeq = lastSeqOf(kept, user.id);
    const tellsReads = replica.tellsReads(kept);
    return [
      kept.id,
      {
        ...{ kind: kept.kind, title: kept.title, createdAt: kept.createdAt },
        ...{ memberCount: kept.memberCount, lastSeq },
        changeSeq: promisedChangeSeq(kept, fresh),
        unreadCount: Math.max(0, lastSeq - Math.max(own?.readSeq ?? 0, (own?.joinedSeq ?? 1) - 1)),
        members: Object.fromEntries(
          [...kept.members].map(([id, member]) => {
            const then = fresh?.members.get(id)?.readSeq ?? member.readSeq;
            const isPromised = id === user.id || tellsReads || member.readSeq > then;
            return [id, isPromised ? member : { ...member, readSeq: then }];
          }),
        ),
        messages: Object.fromEntries(kept.messages),
      },
    ] as const;
  });
  return Object.fromEntries(shown);
}

/** Changes of messages that the viewer may not see move the counter without an event. */
function promisedChangeSeq(kept: Kept, fresh: Kept | undefined): number {
  const seen = Math.max(0, ...[...kept.messages.values()].map(({ changeSeq }) => changeSeq));
  const isRight = fresh && seen <= kept.changeSeq && kept.changeSeq <= fresh.changeSeq;
  return isRight ? fresh.changeSeq : kept.changeSeq;
}

/** In what a replica is not as the queries answer; empty: it is. */
export function differences(replica: Replica, fresh: Snapshot): string[] {
  const found: string[] = [];
  compare(pictureOf(replica, fresh.replica), pictureOf(fresh.replica), '', found);
  compare(replica.balance, fresh.replica.balance, 'balance', found);
  return found;
}

function compare(is: unknown, should: unknown, path: string, found: string[]): void {
  if (isDeepStrictEqual(is, should)) return;
  if (!isRecord(is) || !isRecord(should)) {
    found.push(`${path}: is ${JSON.stringify(is)}, should be ${JSON.stringify(should)}`);
    return;
  }
  for (const key of new Set([...Object.keys(is), ...Object.keys(should)])) {
    compare(is[key], should[key], `${path}/${key}`, found);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Holds what the queries answered while nothing happened to what it can be derived from, and what one user sees to what
 * the others see.
 * @throws {BrokenPromise}
 */
export function checkConsistent(snapshots: readonly Snapshot[]): void {
  const seen = new Map<string, object>();
  for (const shot of snapshots) {
    const wrong: string[] = [];
    let unread = 0;
    for (const timeline of shot.listed) unread += checkTimeline(shot, timeline, seen, wrong);
    if (unread !== shot.unreadCount) wrong.push(`unread ${shot.unreadCount}, in all ${unread}`);
    const { username } = shot.replica.user;
    if (wrong.length > 0) throw new BrokenPromise(`to ${username}:\n${wrong.join('\n')}`);
  }
}

function checkTimeline(
  { replica, readCounts }: Snapshot,
  timeline: ShownTimeline,
  seen: Map<string, object>,
  wrong: string[],
): number {
  const expect = (what: string, is: unknown, should: unknown): void => {
    compare(is, should, `${timeline.id} ${what}`, wrong);
  };
  const { id, me, kind } = timeline;
  const kept = replica.conversations.get(id);
  if (!kept) throw new BrokenPromise(`no ${id}`);
  const seqs = [...kept.messages.keys()].sort((a, b) => a - b);
  const first = me.joinedSeq;
  expect(
    'seqs',
    seqs,
    Array.from({ length: Math.max(0, timeline.lastSeq - first + 1) }, (_, index) => first + index),
  );
  expect('lastMessage', timeline.lastMessage?.seq ?? 0, seqs.at(-1) ?? 0);
  const unread = Math.max(0, timeline.lastSeq - Math.max(me.readSeq, me.joinedSeq - 1));
  expect('unreadCount', me.unreadCount, unread);
  expect('memberCount', timeline.memberCount, kept.members.size);
  const owners = [...kept.members.values()].filter(({ role }) => role === 'OWNER');
  expect('owners', owners.length, kind === 'GROUP' ? 1 : 0);
  for (const [seq, message] of kept.messages) {
    const { replyTo, replyToSeq, ...shared } = message;
    const readers = [...kept.members].filter(
      ([userId, member]) =>
        userId !== message.sender?.id && member.joinedSeq <= seq && member.readSeq >= seq,
    );
    expect(`${seq} readCount`, readCounts.get(`${id} ${seq}`), readers.length);
    const isVisible = replyToSeq !== null && replyToSeq >= me.joinedSeq;
    expect(`${seq} replyTo`, replyTo, isVisible ? { seq: replyToSeq } : null);
    agree(seen, `${id} ${seq}`, { ...shared, replyToSeq }, wrong);
  }
  const { title, lastSeq, changeSeq } = timeline;
  const members = Object.fromEntries(kept.members);
  agree(seen, id, { kind, title, lastSeq, changeSeq, members }, wrong);
  return unread;
}

/** What several users see must be the same. */
function agree(seen: Map<string, object>, what: string, shown: object, wrong: string[]): void {
  const known = seen.get(what);
  if (known) compare(shown, known, `${what} as another sees it`, wrong);
  else seen.set(what, shown);
}
