import { vi } from 'vitest';
import {
  ConversationEventsDocument,
  CreateGroupDocument,
  EditMessageDocument,
  InboxDocument,
  InboxPageDocument,
  MarkReadDocument,
  SendMessageDocument,
  type ConversationEventsSubscription,
  type InboxEventPartsFragment,
  type InboxSubscription,
} from '../../client/generated/documents.ts';
import { signUp, type Reachable, type TestUser } from './clients.ts';
import type { Recording } from './recording.ts';

/** An event of an inbox, as the recorded documents ask for it. */
export type InboxEvent = InboxEventPartsFragment;
export type InboxRecording = Recording<InboxSubscription>;
export type ConversationRecording = Recording<ConversationEventsSubscription>;

let named = 0;

/** New users by names that nobody has. */
export async function people(server: Reachable, count: number): Promise<TestUser[]> {
  const names = Array.from({ length: count }, () => `user_${(named += 1)}`);
  return Promise.all(names.map((name) => signUp(server, name)));
}

/** Sends a text, which is its clientMessageId as well; @returns its seq. */
export async function send(user: TestUser, conversationId: string, text: string): Promise<number> {
  const { sendMessage } = await user.query(SendMessageDocument, {
    input: { conversationId, clientMessageId: text, content: { text: { text } } },
  });
  return sendMessage.message.seq;
}

export async function edit(
  user: TestUser,
  conversationId: string,
  seq: number,
  text: string,
): Promise<void> {
  const content = { text: { text } };
  await user.query(EditMessageDocument, { input: { conversationId, seq, content } });
}

export async function markRead(user: TestUser, conversationId: string, seq: number): Promise<void> {
  await user.query(MarkReadDocument, { input: { conversationId, seq } });
}

/** A group of the first one's; @returns its id. */
export async function groupOf(owner: TestUser, ...others: TestUser[]): Promise<string> {
  const { createGroup } = await owner.query(CreateGroupDocument, {
    input: {
      clientRequestId: `request ${(named += 1)}`,
      title: 'Group',
      memberIds: others.map(({ id }) => id),
    },
  });
  return createGroup.conversation.id;
}

/** Two people on two servers, one of whom has heard in their inbox what the other said. */
export async function meet(one: Reachable, other: Reachable) {
  const [ann, bob] = [await signUp(one, 'ann'), await signUp(other, 'bob')];
  const inbox = await openInbox(bob);
  const id = await groupOf(ann, bob);
  const seq = await send(ann, id, 'hello');
  await inbox.until(() => addedSeqs(inbox).includes(seq), 'the message', 60_000);
  return { ann, bob, inbox, id, seq };
}

/** The same, once the inbox of each has told of it: nothing of its beginning is on its way any more. */
export async function toldGroupOf(owner: TestUser, ...others: TestUser[]): Promise<string> {
  const users = [owner, ...others];
  const heads = await Promise.all(users.map(headOf));
  const id = await groupOf(owner, ...others);
  const isTold = async (user: TestUser, index: number): Promise<void> => {
    await vi.waitUntil(
      async () => {
        const { events } = await pull(user, heads[index] ?? null);
        return events.some(
          (event) => event.__typename === 'MessageAdded' && event.message.conversation.id === id,
        );
      },
      { timeout: 10_000 },
    );
  };
  await Promise.all(users.map(isTold));
  return id;
}

/** An inbox on a socket of its own; without a cursor it is live when this returns. */
export async function openInbox(
  user: TestUser,
  after: string | null = null,
): Promise<InboxRecording> {
  const recording = (await user.socket()).subscribe(InboxDocument, { after });
  if (after === null) {
    await recording.until(() => briefs(recording).includes('heartbeat'), 'the beginning');
  }
  return recording;
}

export async function follow(
  user: TestUser,
  id: string,
  from: { afterSeq?: number; afterChangeSeq?: number } = {},
): Promise<ConversationRecording> {
  return (await user.socket()).subscribe(ConversationEventsDocument, { id, ...from });
}

export async function pull(user: TestUser, after: string | null, first = 200) {
  const { viewer } = await user.query(InboxPageDocument, { after, first });
  return viewer.inbox;
}

/** The present head of a user's inbox. */
export async function headOf(user: TestUser): Promise<string> {
  return (await pull(user, null)).endCursor;
}

export function inboxOf(recording: InboxRecording): InboxEvent[] {
  return recording.events.map(({ inbox }) => inbox);
}

export function cursorAt(recording: InboxRecording, index: number): string {
  const event = inboxOf(recording).at(index);
  if (!event) throw new Error(`no event at ${index}`);
  return event.cursor;
}

/** What an event says, in a few words: `added 3`, `changed 3@1`, `read u_… 3`, `reset` … */
export function brief(event: InboxEvent): string {
  switch (event.__typename) {
    case 'MessageAdded':
      return `added ${event.message.seq}`;
    case 'MessageChanged':
      return `changed ${event.message.seq}@${event.changeSeq}`;
    case 'ReadAdvanced':
      return `read ${event.user.id} ${event.readSeq}`;
    case 'ConversationChanged':
      return 'conversation';
    case 'ConversationRemoved':
      return 'removed';
    case 'ConversationAdvanced':
      return `advanced ${event.lastSeq}@${event.changeSeq}`;
    case 'WalletChanged':
      return `wallet ${event.entry.amount}=${event.balance}`;
    case 'InboxHeartbeat':
      return 'heartbeat';
    case 'InboxReset':
      return 'reset';
  }
}

export function briefs(recording: InboxRecording): string[] {
  return inboxOf(recording).map(brief);
}

export function briefsOf(recording: ConversationRecording): string[] {
  return recording.events.map(({ conversation: event }) => {
    switch (event.__typename) {
      case 'ConversationMessageAdded':
        return `added ${event.message.seq}`;
      case 'ConversationMessageChanged':
        return `changed ${event.message.seq}@${event.changeSeq}`;
      case 'ConversationCaughtUp':
        return `caught up ${event.lastSeq}@${event.changeSeq}`;
    }
  });
}

/** The seqs of the messages that were told as new. */
export function addedSeqs(recording: InboxRecording): number[] {
  return inboxOf(recording).flatMap((event) =>
    event.__typename === 'MessageAdded' ? [event.message.seq] : [],
  );
}

/** Waits until the last event reads so, whatever came before. */
export async function untilLast(recording: InboxRecording, what: string): Promise<void> {
  await recording.until(() => briefs(recording).at(-1) === what, what);
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
