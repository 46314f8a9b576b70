import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parse } from 'graphql';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ConversationEventsDocument,
  InboxDocument,
  InboxPageDocument,
  LogoutDocument,
  SetTypingDocument,
  TypingDocument,
} from '../../client/generated/documents.ts';
import {
  addMembers,
  createGroup,
  edit,
  engines,
  markRead,
  openChat,
  removeMember,
  say,
  type Chat,
} from '../support/chat.ts';
import { unlimited } from '../support/budgets.ts';
import { post, signIn, TestFault, type TestSocket, type TestUser } from '../support/clients.ts';
import type { Recording } from '../support/recording.ts';
import { subscribeEvents } from '../support/sse.ts';

const loopDelay = monitorEventLoopDelay({ resolution: 5 });
loopDelay.enable();

/** After the mutation's answer nothing may come later than this, */
const graceMs = 1_000;
/** but for what the test's own process was held up, since server and clients share it. */
const latestMs = (): number => graceMs + loopDelay.max / 1e6;
/** How long the removed are watched. */
const watchMs = 1_250;

const lanes = 4;
const victimsPerLane: number = 10;
const removalRounds = 10;
const sessionUsers = 12;
/** Of a lane's writer: busy, and not beyond what a small machine takes. */
const paceMs = 50;
const sessionRounds = 5;

/** Everything that shows something of the conversation to one who is in it. */
const lookDocument = parse(`
  query Look($id: ID!, $message: ID!, $seq: Int!) {
    group: node(id: $id) { id }
    message: node(id: $message) { id }
    conversation(id: $id) {
      memberCount
      message(seq: $seq) { seq }
      messages(last: 5) { edges { cursor } }
      messageChanges(after: 0) { endChangeSeq }
    }
    viewer { unreadCount conversations { edges { node { id } } } }
  }
`) as TypedDocumentNode<Look, { id: string; message: string; seq: number }>;

interface Look {
  readonly group: unknown;
  readonly message: unknown;
  readonly conversation: unknown;
  readonly viewer: {
    readonly unreadCount: number;
    readonly conversations: { readonly edges: readonly { node: { id: string } }[] };
  };
}

/** As the client's, and with what differs from viewer to viewer: it is executed for each alone. */
const dearInboxDocument = parse(`
  subscription DearInbox($after: InboxCursor) {
    inbox(after: $after) {
      __typename
      cursor
      ... on MessageAdded { message { id conversation { id me { readSeq } } } }
      ... on MessageChanged { message { id conversation { id lastSeq } } }
      ... on ReadAdvanced { conversation { id } }
      ... on ConversationChanged { conversation { id me { readSeq } } }
      ... on ConversationAdvanced { conversation { id lastSeq } }
      ... on ConversationRemoved { conversationId }
    }
  }
`) as typeof InboxDocument;

type InboxEvent = { readonly __typename: string; readonly cursor: string };

/** A recording that knows when each event came. */
class Timed<T> {
  readonly recording: Recording<T>;
  readonly atMs: number[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(recording: Recording<T>) {
    this.recording = recording;
    this.#timer = setInterval(() => this.#note(), 5);
  }

  get events(): readonly T[] {
    this.#note();
    return this.recording.events;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.recording.stop();
  }

  #note(): void {
    while (this.atMs.length < this.recording.events.length) this.atMs.push(Date.now());
  }
}

describe.each(engines())('rights that end under load, on %s', (engine) => {
  let chat: Chat;

  beforeAll(async () => {
    chat = await openChat(engine, { groups: { largeAboveMembers: 5 }, budgets: unlimited });
  });
  afterAll(() => chat[Symbol.asyncDispose]());

  it('of members: nothing shows a conversation once its removal has been answered', async () => {
    const found: string[] = [];
    const removals = await Promise.all(
      Array.from({ length: lanes }, (_, lane) => removalLane(chat, lane, found)),
    );
    expect(found.slice(0, 10)).toEqual([]);
    const total = removals.reduce((sum, count) => sum + count, 0);
    expect(total).toBe(lanes * victimsPerLane * removalRounds);
  }, 240_000);

  it('of sessions: nothing comes after the close, and the token is dead at the answer', async () => {
    const found: string[] = [];
    const ends = await Promise.all(
      Array.from({ length: sessionUsers }, () => sessionLane(chat, found)),
    );
    expect(found.slice(0, 10)).toEqual([]);
    expect(ends.reduce((sum, count) => sum + count, 0)).toBe(2 * sessionUsers * sessionRounds);
  }, 240_000);
});

interface Victim {
  readonly user: TestUser;
  readonly inbox: Timed<{ inbox: InboxEvent }>;
  /** From before the round. */
  cursor: string;
}

/** One group, whose members are removed and come back, while others write in it. */
async function removalLane(chat: Chat, lane: number, found: string[]): Promise<number> {
  const [owner, talker] = await chat.people(2);
  const users = await chat.people(victimsPerLane);
  const id = await createGroup(owner, [talker]);
  const document = lane % 2 === 0 ? InboxDocument : dearInboxDocument;
  const victims: Victim[] = [];
  for (const user of users) {
    const recording = await openInbox(user, document, lane % 3 === 0);
    victims.push({ user, inbox: new Timed(recording), cursor: '' });
  }
  let removed = 0;
  for (let round = 0; round < removalRounds; round += 1) {
    for (const victim of victims) victim.cursor = lastCursor(victim);
    await addMembers(owner, id, users);
    const load = startLoad(talker, owner, id);
    try {
      const watches = await Promise.all(
        victims.map((victim, at) => remove(owner, victim, id, at * 40, found)),
      );
      removed += watches.length;
      await pause(watchMs);
      for (const check of watches) await check();
    } finally {
      await load.stop();
    }
  }
  for (const { inbox } of victims) inbox.stop();
  for (const user of [owner, talker, ...users]) await user[Symbol.asyncDispose]();
  return removed;
}

function lastCursor({ inbox }: Victim): string {
  const last = inbox.events.at(-1);
  if (!last) throw new Error('the inbox was opened');
  return last.inbox.cursor;
}

/** Writes, edits, reads and types all the while. */
function startLoad(talker: TestUser, owner: TestUser, id: string): { stop(): Promise<void> } {
  let isOver = false;
  const run = async (): Promise<void> => {
    for (let turn = 0; !isOver; turn += 1) {
      const seq = await say(talker, id, `words ${turn}`);
      if (turn % 3 === 0) await edit(talker, id, seq, `other words ${turn}`);
      if (turn % 3 === 1) await markRead(owner, id, seq);
      if (turn % 3 === 2) {
        await talker.query(SetTypingDocument, { conversationId: id, isTyping: turn % 2 === 0 });
      }
      await pause(paceMs);
    }
  };
  const running = run();
  running.catch(() => undefined);
  return {
    stop() {
      isOver = true;
      return running;
    },
  };
}

async function openInbox(
  user: TestUser,
  document: typeof InboxDocument,
  isStream: boolean,
): Promise<Recording<{ inbox: InboxEvent }>> {
  const recording = isStream
    ? subscribeEvents(user, document, { after: null })
    : (await user.socket()).subscribe(document, { after: null });
  await recording.waitFor(1);
  return recording;
}

/** Removes one while they look and listen. @returns what to check once the time is up. */
async function remove(
  owner: TestUser,
  { user, inbox, cursor }: Victim,
  id: string,
  afterMs: number,
  found: string[],
): Promise<() => Promise<void>> {
  const socket = await user.socket();
  const followed = new Timed(
    socket.subscribe(ConversationEventsDocument, { id, afterSeq: 0, afterChangeSeq: 0 }),
  );
  const typing = new Timed(socket.subscribe(TypingDocument, { conversationId: id }));
  await followed.recording.waitFor(1);
  const seq = await say(user, id, 'still here');
  await pause(afterMs);
  const before = inbox.events.length;
  await removeMember(owner, id, user);
  const answeredAtMs = Date.now();
  const tell = (what: string): void => void found.push(`${user.username} in ${id}: ${what}`);
  const message = `m_${id.slice(2)}_${seq.toString(36)}`;
  const look = await user.query(lookDocument, { id, message, seq });
  if (look.group !== null || look.message !== null || look.conversation !== null) {
    tell(`sees ${JSON.stringify(look)} after the answer`);
  }
  const { unreadCount, conversations } = look.viewer;
  if (unreadCount !== 0 || conversations.edges.length > 0) tell('counts it after the answer');
  return async () => {
    for (const [name, { recording }] of Object.entries({ followed, typing })) {
      if (recording.end !== 'complete' || recording.errors.length > 0) {
        tell(`${name} ended ${String(recording.end)} with ${JSON.stringify(recording.errors)}`);
      }
    }
    checkLast(followed, answeredAtMs, (what) => tell(`conversation: ${what}`));
    checkLast(typing, answeredAtMs, (what) => tell(`typing: ${what}`));
    checkInbox(inbox, before, answeredAtMs, id, tell);
    await checkReplay(user, cursor, id, tell);
    await socket.close();
    followed.stop();
    typing.stop();
  };
}

function checkLast(
  { events, atMs }: Timed<unknown>,
  answeredAtMs: number,
  tell: (what: string) => void,
): void {
  const last = events.length > 0 ? (atMs[events.length - 1] ?? 0) : 0;
  if (last > answeredAtMs + latestMs()) tell(`an event ${last - answeredAtMs} ms after the answer`);
}

function checkInbox(
  inbox: Timed<{ inbox: InboxEvent }>,
  before: number,
  answeredAtMs: number,
  id: string,
  tell: (what: string) => void,
): void {
  const came = inbox.events.slice(before).map((event) => event.inbox);
  const end = came.findIndex(({ __typename }) => __typename === 'ConversationRemoved');
  if (end < 0) {
    tell('no ConversationRemoved came');
    return;
  }
  const late = came.slice(end + 1).filter((event) => JSON.stringify(event).includes(id));
  if (late.length > 0) tell(`after ConversationRemoved: ${JSON.stringify(late[0])}`);
  const atMs = inbox.atMs[before + end] ?? 0;
  if (atMs > answeredAtMs + latestMs()) tell(`ConversationRemoved ${atMs - answeredAtMs} ms late`);
  if (inbox.recording.errors.length > 0) tell(JSON.stringify(inbox.recording.errors[0]));
}

/** Whoever comes back from an older cursor sees of it that it is gone, and nothing else; live as well as pulled. */
async function checkReplay(
  user: TestUser,
  after: string,
  id: string,
  tell: (what: string) => void,
): Promise<void> {
  const pulled: InboxEvent[] = [];
  for (let cursor = after, hasMore = true; hasMore;) {
    const { inbox } = (await user.query(InboxPageDocument, { after: cursor, first: 1_000 })).viewer;
    pulled.push(...inbox.events);
    ({ endCursor: cursor, hasMore } = inbox);
  }
  const socket = await user.socket();
  const recording = socket.subscribe(InboxDocument, { after });
  const isOver = (): boolean =>
    recording.events.some(({ inbox }) => inbox.__typename === 'InboxHeartbeat');
  await recording.until(isOver, 'the end of the replay');
  await socket.close();
  for (const event of [...pulled, ...recording.events.map(({ inbox }) => inbox)]) {
    if (event.__typename !== 'ConversationRemoved' && JSON.stringify(event).includes(id)) {
      tell(`replayed: ${JSON.stringify(event)}`);
    }
  }
}

/** A user whose other sessions are ended one after the other, by logout and by displacement, while messages come. */
async function sessionLane(chat: Chat, found: string[]): Promise<number> {
  const [user, talker] = await chat.people(2);
  const id = await createGroup(talker, [user]);
  const load = startLoad(talker, talker, id);
  let ended = 0;
  try {
    for (let round = 0; round < sessionRounds; round += 1) {
      const tell = (what: string): void => void found.push(`${user.username}: ${what}`);
      const displaced = await beside(chat, user, 'IOS');
      const bySignIn = await watchSession(displaced, id);
      // Of the same class, on another device.
      const next = await beside(chat, user, 'ANDROID');
      await bySignIn(4602, tell);
      const byLogout = await watchSession(next, id);
      await user.query(LogoutDocument, { sessionId: next.auth.viewer.session.id });
      await byLogout(4601, tell);
      ended += 2;
    }
  } finally {
    await load.stop();
  }
  for (const one of [user, talker]) await one[Symbol.asyncDispose]();
  return ended;
}

function beside(chat: Chat, { username }: TestUser, platform: 'IOS' | 'ANDROID') {
  return signIn(chat.server, username, { id: platform.toLowerCase(), platform });
}

/** @returns what to check right after the answer to what ended the session. */
async function watchSession(user: TestUser, id: string) {
  const socket: TestSocket = await user.socket();
  const streams = [
    new Timed<unknown>(socket.subscribe(InboxDocument, { after: null })),
    new Timed<unknown>(socket.subscribe(ConversationEventsDocument, { id, afterSeq: 0 })),
    new Timed<unknown>(socket.subscribe(TypingDocument, { conversationId: id })),
  ];
  const overHttp = new Timed<unknown>(subscribeEvents(user, InboxDocument, { after: null }));
  await streams[0]?.recording.waitFor(1);
  await overHttp.recording.waitFor(1);
  return async (code: number, tell: (what: string) => void): Promise<void> => {
    const answeredAtMs = Date.now();
    const { errors } = await post(
      user.server,
      lookDocument,
      { id, message: id, seq: 1 },
      user.auth.accessToken,
    );
    if (errors?.[0]?.extensions?.['code'] !== 'UNAUTHENTICATED') tell('its token still works');
    const refused = await user.refresh().then(
      () => false,
      (error: unknown) => error instanceof TestFault && error.code === 'UNAUTHENTICATED',
    );
    if (!refused) tell('its refresh token still works');
    const isOpen = pause(2 * graceMs).then(() => null);
    const closed = await Promise.race([socket.closed, isOpen]);
    if (closed?.code !== code) tell(`closed with ${String(closed?.code)}, not ${code}`);
    if ((closed?.atMs ?? 0) > answeredAtMs + latestMs()) tell('closed late');
    await pause(watchMs - graceMs);
    for (const stream of [...streams, overHttp]) {
      checkLast(stream, closed?.atMs ?? answeredAtMs, tell);
      if (stream.recording.end === undefined) tell('a subscription goes on');
      stream.stop();
    }
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
