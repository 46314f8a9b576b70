import {
  AddMembersDocument,
  ConversationDocument,
  CreateGroupDocument,
  EditMessageDocument,
  HistoryDocument,
  LeaveGroupDocument,
  MarkReadDocument,
  MembersDocument,
  MessageDocument,
  RecallMessageDocument,
  RemoveMemberDocument,
  SendMessageDocument,
  SetMemberRoleDocument,
  UpdateGroupDocument,
  type ContentPartsFragment,
  type MemberRole,
  type MessagePartsFragment,
} from '../../client/generated/documents.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { faultCodes, type FaultCode } from '../../src/lib/fault.ts';
import { signUp, TestFault, type TestUser } from './clients.ts';
import { mariadbAvailable } from './machine.ts';
import { startTestServer, type ConfigOverrides, type TestServer } from './server.ts';

/** The engines that a promise is held on, as far as they are here. */
export function engines(): ('sqlite' | 'mysql')[] {
  return mariadbAvailable() ? ['sqlite', 'mysql'] : ['sqlite'];
}

/** Goes as the system's, and can be put on or back. */
export class ShiftedClock implements Clock {
  #ms = 0;

  now(): number {
    return Date.now() + this.#ms;
  }

  shift(ms: number): void {
    this.#ms += ms;
  }
}

/** A server for the tests of a file, whose clock can be moved without anybody having to sign in again. */
export interface Chat extends AsyncDisposable {
  readonly server: TestServer;
  readonly clock: ShiftedClock;
  /** So many users of names that nobody has. */
  people<N extends number>(count: N): Promise<People<N>>;
}
type People<N extends number, Found extends TestUser[] = []> = number extends N
  ? TestUser[]
  : Found['length'] extends N
    ? Found
    : People<N, [...Found, TestUser]>;

export async function openChat(
  engine: 'sqlite' | 'mysql',
  overrides: ConfigOverrides = {},
): Promise<Chat> {
  const clock = new ShiftedClock();
  const tokens = { accessTtlSeconds: 30 * 86_400 };
  const budgets = { operationsPerSecond: 0, costPerMinute: 0 };
  const server = await startTestServer({ tokens, budgets, ...overrides }, { engine, clock });
  let named = 0;
  return {
    server,
    clock,
    async people<N extends number>(count: N) {
      const names = Array.from({ length: count }, () => `user_${(named += 1)}`);
      return (await Promise.all(names.map((name) => signUp(server, name)))) as People<N>;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** The code that it fails with; 'OK' where it does not. Every error says as well whether to retry. */
export async function codeOf(work: Promise<unknown>): Promise<FaultCode | 'OK'> {
  try {
    await work;
    return 'OK';
  } catch (error) {
    if (!(error instanceof TestFault)) throw error;
    const { code, retryable } = error.errors[0]?.extensions ?? {};
    const known = faultCodes[code as FaultCode] as { retryable: boolean } | undefined;
    if (!known || known.retryable !== retryable) {
      throw new Error(`not of the table: ${JSON.stringify(error.errors)}`, { cause: error });
    }
    return code as FaultCode;
  }
}

let keys = 0;
/** A clientMessageId or clientRequestId that nobody has used. */
export function newKey(): string {
  return `key-${(keys += 1)}`;
}

export async function createGroup(owner: TestUser, others: readonly TestUser[]): Promise<string> {
  const input = { clientRequestId: newKey(), title: 'Climbers', memberIds: others.map(idOf) };
  return (await owner.query(CreateGroupDocument, { input })).createGroup.conversation.id;
}

export async function send(
  user: TestUser,
  conversationId: string,
  text: string,
  more: { clientMessageId?: string; replyToSeq?: number } = {},
) {
  const input = { conversationId, clientMessageId: newKey(), content: { text: { text } }, ...more };
  return (await user.query(SendMessageDocument, { input })).sendMessage;
}

/** Sends, and gives the seq. */
export async function say(user: TestUser, conversationId: string, text = 'hello'): Promise<number> {
  return (await send(user, conversationId, text)).message.seq;
}

export async function edit(user: TestUser, conversationId: string, seq: number, text: string) {
  const input = { conversationId, seq, content: { text: { text } } };
  return (await user.query(EditMessageDocument, { input })).editMessage.message;
}

export async function recall(user: TestUser, conversationId: string, seq: number) {
  const input = { conversationId, seq };
  return (await user.query(RecallMessageDocument, { input })).recallMessage.message;
}

export async function markRead(user: TestUser, conversationId: string, seq: number) {
  return (await user.query(MarkReadDocument, { input: { conversationId, seq } })).markRead.member;
}

export async function addMembers(user: TestUser, conversationId: string, others: TestUser[]) {
  const input = { conversationId, userIds: others.map(idOf) };
  return (await user.query(AddMembersDocument, { input })).addMembers.conversation;
}

export async function removeMember(user: TestUser, conversationId: string, { id }: TestUser) {
  const input = { conversationId, userId: id };
  return (await user.query(RemoveMemberDocument, { input })).removeMember.conversation;
}

export async function rename(user: TestUser, conversationId: string, title: string) {
  const input = { conversationId, title };
  return (await user.query(UpdateGroupDocument, { input })).updateGroup.conversation;
}

export async function setRole(
  user: TestUser,
  conversationId: string,
  { id }: TestUser,
  role: MemberRole,
) {
  const input = { conversationId, userId: id, role };
  return (await user.query(SetMemberRoleDocument, { input })).setMemberRole.member;
}

export function leave(user: TestUser, conversationId: string) {
  return user.query(LeaveGroupDocument, { conversationId });
}

/** The conversation as the user sees it; null where it does not exist for them. */
export async function conversationOf(user: TestUser, id: string) {
  return (await user.query(ConversationDocument, { id })).conversation;
}

/** The user's own unread count. */
export async function unreadOf(user: TestUser, id: string): Promise<number | null | undefined> {
  return (await conversationOf(user, id))?.me.unreadCount;
}

/** The newest messages, oldest first, as the user sees them. */
export async function historyOf(user: TestUser, conversationId: string, last = 200) {
  const { conversation } = await user.query(HistoryDocument, { conversationId, last });
  return (conversation?.messages.edges ?? []).map(({ node }) => node);
}

export async function messageOf(user: TestUser, conversationId: string, seq: number) {
  return (await user.query(MessageDocument, { conversationId, seq })).conversation?.message ?? null;
}

/** The roles of the members, by user name. */
export async function rolesOf(user: TestUser, conversationId: string) {
  const { conversation } = await user.query(MembersDocument, { conversationId, first: 200 });
  const members = (conversation?.members.edges ?? []).map(({ node }) => node);
  return Object.fromEntries(members.map(({ user: { username }, role }) => [username, role]));
}

/** What a message says, without what it is about: a text, or a system message in short. */
export function words({ content }: Pick<MessagePartsFragment, 'content'>): string {
  return contentWords(content);
}

function contentWords(content: ContentPartsFragment): string {
  switch (content.__typename) {
    case 'TextContent':
      return content.text;
    case 'SystemContent': {
      const users = content.users.map(({ username }) => username).sort();
      const parts = [content.actor?.username, ...users, content.title, content.role];
      return [content.event, ...parts.filter((part) => part != null)].join(' ');
    }
    default:
      return content.__typename;
  }
}

export function idOf({ id }: TestUser): string {
  return id;
}
