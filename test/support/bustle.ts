import {
  CreditWalletDocument,
  HistoryDocument,
  type HistoryQuery,
} from '../../client/generated/documents.ts';
import { ask, type Reachable, TestUser } from './clients.ts';
import { pause, send } from './live.ts';
import { claim, giveAway } from './money.ts';

/** For `SERVER_KEYS`. */
export const bustleKeys = 'default:key-of-the-default-app-0123456789';

const [, appKey = ''] = bustleKeys.split(':');

/** A message that was acknowledged, and when by then. */
export interface Acked {
  readonly conversationId: string;
  readonly seq: number;
  readonly text: string;
  readonly atMs: number;
}

/** People who chat in some groups of all of them, and give money away, until they are told to stop. */
export class Bustle {
  readonly acked: Acked[] = [];
  packets = 0;
  #isOver = false;
  readonly #working: Promise<unknown>;

  constructor(users: readonly TestUser[], conversationIds: readonly string[]) {
    this.#working = Promise.all(
      users.map(async (user, index) => {
        for (let turn = 0; !this.#isOver; turn += 1) {
          const conversationId = conversationIds[(turn + index) % conversationIds.length] ?? '';
          const text = `${user.username} ${turn}`;
          const seq = await send(user, conversationId, text);
          this.acked.push({ conversationId, seq, text, atMs: Date.now() });
          const redPacketId = await giveAway(user, conversationId, { total: 20, count: 2 });
          this.packets += 1;
          await claim(users[(index + 1) % users.length] ?? user, redPacketId);
          await pause(5);
        }
      }),
    );
    this.#working.catch(() => undefined);
  }

  /** Ends when what is under way has been answered. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#working;
  }
}

/** Money to give away. */
export async function endow(server: Reachable, users: readonly TestUser[]): Promise<void> {
  for (const { id: userId } of users) {
    const input = { userId, amount: 1_000_000, key: 'endowment', reason: 'for a test' };
    await ask(server, CreditWalletDocument, { input }, appKey);
  }
}

/** All messages of a conversation by seq, as a member reads them. */
export async function historyOf(user: TestUser, conversationId: string) {
  const bySeq = new Map<number, string | null>();
  for (let after: string | null = '0'; after !== null;) {
    const variables = { conversationId, first: 200, after };
    const answer: HistoryQuery = await user.query(HistoryDocument, variables);
    const { edges = [], pageInfo } = answer.conversation?.messages ?? {};
    for (const { node } of edges) {
      bySeq.set(node.seq, node.content.__typename === 'TextContent' ? node.content.text : null);
    }
    after = pageInfo?.hasNextPage ? pageInfo.endCursor : null;
  }
  return bySeq;
}

/** The same person with the same tokens, at another server. */
export function at(server: Reachable, user: TestUser): TestUser {
  return new TestUser(server, user.auth);
}
