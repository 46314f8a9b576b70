import {
  ConversationDocument,
  CreditWalletDocument,
  InboxPageDocument,
  LogoutDocument,
  SendMessageDocument,
  SendRedPacketDocument,
} from '../../client/generated/documents.ts';
import { createGroup, newKey } from '../support/chat.ts';
import {
  ask,
  signIn,
  signUp,
  TestFault,
  type Reachable,
  type TestUser,
} from '../support/clients.ts';
import { fuzzServerKey, type Known } from './values.ts';

/** Users, conversations, messages and tokens, dead ones as well, for the attackers to use. */
export interface Population {
  readonly known: Known;
  /** Nobody attacks as them. */
  readonly sane: readonly TestUser[];
  /** Signs in again who was logged out, and makes a new group where one was left. @returns what ends it. */
  keepUp(onFailed: (text: string) => void): () => Promise<void>;
}

const names = ['ann', 'bob', 'cat', 'dan'] as const;
const keepUpMs = 250;

export async function populate(server: Reachable): Promise<Population> {
  const users = await Promise.all(names.map((name) => signUp(server, name)));
  const sane = [await signUp(server, 'sane_1'), await signUp(server, 'sane_2')];
  const [ann, bob] = users as [TestUser, TestUser];
  const direct = await ann.directWith(bob);
  await fill(ann, direct);
  let group = await newGroup(users);
  const packets = await Promise.all(users.map((user) => packetIn(server, user, group)));
  const dead = await signIn(server, 'dan', { id: 'dead' });
  await dead.query(LogoutDocument, {});
  const known: Known = {
    ids: [],
    usernames: [...names, 'nobody', 'ANN'],
    cursors: await Promise.all(users.map(headOf)),
    tokens: [],
    refreshTokens: [],
  };
  let live = users;
  const tell = (): void => {
    const messages = [group, direct].flatMap((id) =>
      [1, 2, 3].map((seq) => `m_${id.slice(2)}_${seq}`),
    );
    const sessions = live.map(({ auth }) => auth.viewer.session.id);
    const entries = users.map(({ id }) => `w_${id.slice(2)}_1`);
    known.ids = [
      ...[...users.map(({ id }) => id), group, direct, group],
      ...[...messages, ...sessions, ...packets, ...packets, ...entries],
    ];
    known.tokens = [...[...live, ...live, dead].map(({ auth }) => auth.accessToken), fuzzServerKey];
    known.refreshTokens = [...live, dead].map(({ auth }) => auth.refreshToken);
  };
  tell();
  const renew = async (): Promise<void> => {
    live = await Promise.all(live.map((user) => alive(server, user)));
    const seen = await Promise.all(
      live.map((user) => user.query(ConversationDocument, { id: group })),
    );
    if (seen.some(({ conversation }) => conversation === null)) group = await newGroup(live);
    tell();
  };
  return {
    known,
    sane,
    keepUp(onFailed) {
      let isOver = false;
      const run = async (): Promise<void> => {
        while (!isOver) {
          // In the midst of it an attacker may log somebody out or take them from the group; the next turn mends it.
          await renew().catch((error: unknown) => {
            if (!isOfLostRights(error)) onFailed(String(error));
          });
          await new Promise((resolve) => setTimeout(resolve, keepUpMs));
        }
      };
      const running = run();
      return () => {
        isOver = true;
        return running;
      };
    },
  };
}

/** What was still theirs when the question came, and no longer when its last field was read. */
function isOfLostRights(error: unknown): boolean {
  const codes: readonly unknown[] = ['UNAUTHENTICATED', 'NOT_FOUND', 'FORBIDDEN'];
  return error instanceof TestFault && codes.includes(error.code);
}

async function alive(server: Reachable, user: TestUser): Promise<TestUser> {
  const isAlive = await headOf(user).then(
    () => true,
    () => false,
  );
  return isAlive ? user : signIn(server, user.username, { id: 'device-1' });
}

async function newGroup([ann, ...others]: readonly TestUser[]): Promise<string> {
  if (!ann) throw new Error('nobody makes a group');
  const id = await createGroup(ann, others);
  await fill(ann, id);
  return id;
}

async function fill(user: TestUser, conversationId: string): Promise<void> {
  for (let count = 0; count < 5; count += 1) {
    const content = { text: { text: `message ${count}` } };
    await user.query(SendMessageDocument, {
      input: { conversationId, clientMessageId: newKey(), content },
    });
  }
}

/** Money for somebody, and some of it in a packet that is open. @returns its id. */
async function packetIn(server: Reachable, user: TestUser, id: string): Promise<string> {
  const input = { userId: user.id, amount: 1_000_000, key: 'endowment', reason: 'to fuzz with' };
  await ask(server, CreditWalletDocument, { input }, fuzzServerKey);
  const packet = { conversationId: id, clientMessageId: newKey(), total: 300, count: 3 };
  const sent = await user.query(SendRedPacketDocument, { input: packet });
  return sent.sendRedPacket.redPacket.id;
}

async function headOf(user: TestUser): Promise<string> {
  return (await user.query(InboxPageDocument, { first: 0 })).viewer.inbox.endCursor;
}
