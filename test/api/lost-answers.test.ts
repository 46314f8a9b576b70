import { afterEach, describe, expect, it, vi } from 'vitest';
import { SendMessageDocument } from '../../client/generated/documents.ts';
import { MariadbSql } from '../../src/storage/sql.mariadb.ts';
import { SqliteSql } from '../../src/storage/sql.sqlite.ts';
import { SqlError } from '../../src/storage/sql.ts';
import { TestFault, type TestUser } from '../support/clients.ts';
import {
  addedSeqs,
  briefsOf,
  follow,
  openInbox,
  people,
  range,
  toldGroupOf,
} from '../support/live.ts';
import { startTestServer } from '../support/server.ts';

const classes = { sqlite: SqliteSql, mysql: MariadbSql };

/** From now on every third commit happens, and nobody gets to know. */
function loseAnswers(engine: keyof typeof classes): { readonly lost: () => number } {
  const { prototype } = classes[engine];

  const transaction = prototype.transaction;
  let commits = 0;
  let lost = 0;
  vi.spyOn(prototype, 'transaction').mockImplementation(async function lossy(this: never, work) {
    const answer: unknown = await transaction.call(this, work);
    commits += 1;
    if (commits % 3 !== 0) return answer;
    lost += 1;
    throw new SqlError('connection', 'the answer was lost');
  });
  return { lost: () => lost };
}

async function sendUntilAnswered(
  user: TestUser,
  conversationId: string,
  key: string,
): Promise<void> {
  const input = { conversationId, clientMessageId: key, content: { text: { text: key } } };
  for (;;) {
    try {
      await user.query(SendMessageDocument, { input });
      return;
    } catch (error) {
      if (!(error instanceof TestFault) || error.code !== 'UNAVAILABLE') throw error;
    }
  }
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe.each(['sqlite', 'mysql'] as const)('commits whose answers are lost, on %s', (engine) => {
  it('are told like all others, to inboxes and to followers', async () => {
    await using server = await startTestServer({}, { engine, limits: { laneDoubtMs: 300 } });
    const [ann, bob, cat] = (await people(server, 3)) as [TestUser, TestUser, TestUser];
    const id = await toldGroupOf(ann, bob, cat);
    const inboxes = await Promise.all([bob, cat].map((user) => openInbox(user)));
    const followed = await follow(bob, id);
    await followed.until(() => briefsOf(followed).length > 0, 'the beginning');
    const { lost } = loseAnswers(engine);
    for (const index of range(1, 20)) await sendUntilAnswered(ann, id, `key ${index}`);
    expect(lost()).toBeGreaterThan(5);
    vi.restoreAllMocks();
    for (const inbox of inboxes) {
      await inbox.until(() => addedSeqs(inbox).includes(21), 'the last message');
      expect(addedSeqs(inbox)).toEqual(range(2, 21));
    }
    await followed.until(() => briefsOf(followed).includes('added 21'), 'the last message');
    const added = briefsOf(followed).filter((text) => text.startsWith('added'));
    expect(added).toEqual(range(2, 21).map((seq) => `added ${seq}`));
  });
});
