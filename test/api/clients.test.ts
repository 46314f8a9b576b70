import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ConversationEventsDocument,
  EditMessageDocument,
  HistoryDocument,
  InboxDocument,
  OpenDirectDocument,
  RecallMessageDocument,
  RegisterDocument,
  SendMessageDocument,
  type InboxSubscription,
} from '../../client/generated/documents.ts';
import { signUp } from '../support/clients.ts';
import { openApollo, openGraphqlWs, openUrql, type Front, type Open } from '../support/fronts.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const clients: readonly (readonly [name: string, open: Open])[] = [
  ['graphql-ws', openGraphqlWs],
  ['urql', openUrql],
  ['apollo', openApollo],
];

type Event = InboxSubscription['inbox'];

function told(events: readonly InboxSubscription[]): string[] {
  return events.map(({ inbox }) => {
    const { __typename: type } = inbox;
    const isOfMessage = type === 'MessageAdded' || type === 'MessageChanged';
    return isOfMessage ? `${type} ${inbox.message.seq} ${contentOf(inbox)}` : type;
  });
}

function contentOf({ message }: Extract<Event, { __typename: 'MessageAdded' | 'MessageChanged' }>) {
  const { content } = message;
  return content.__typename === 'TextContent' ? content.text : content.__typename;
}

describe.each(['sqlite', 'mysql'] as const)('on %s', (engine) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({}, { engine });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test.each(clients)('%s signs up, talks, listens, resumes and is refused', async (name, open) => {
    const stem = name.replace('-', '_');
    const anonymous = open(server);
    const { register } = await anonymous.ask(RegisterDocument, {
      input: {
        username: `${stem}_ann`,
        password: 'correct horse',
        device: { id: 'laptop', platform: 'DESKTOP' },
      },
    });
    await anonymous.close();
    await using bob = await signUp(server, `${stem}_bob`);
    const front = open(server, register.accessToken);
    // Before there is a conversation: its beginning would come at a time that chance decides.
    const live = front.subscribe(InboxDocument, {});
    await live.waitFor(1);
    const { openDirect } = await front.ask(OpenDirectDocument, { userId: bob.id });
    const conversationId = openDirect.conversation.id;
    await live.waitFor(2);
    const say = (who: Pick<Front, 'ask'>, text: string) =>
      who.ask(SendMessageDocument, {
        input: { conversationId, clientMessageId: text, content: { text: { text } } },
      });
    const other: Pick<Front, 'ask'> = { ask: (document, given) => bob.query(document, given) };

    const { message, isDuplicate } = (await say(front, 'hello')).sendMessage;
    expect([message.seq, isDuplicate]).toEqual([1, false]);
    expect((await say(front, 'hello')).sendMessage.isDuplicate).toBe(true);
    const at = { conversationId, seq: 1 };
    const content = { text: { text: 'hello, edited' } };
    await front.ask(EditMessageDocument, { input: { ...at, content } });
    await front.ask(RecallMessageDocument, { input: at });
    const events = await live.waitFor(5);
    expect(told(events)).toEqual([
      'InboxHeartbeat',
      'ConversationChanged',
      'MessageAdded 1 hello',
      'MessageChanged 1 hello, edited',
      'MessageChanged 1 RecalledContent',
    ]);
    expect(live.errors).toEqual([]);
    live.stop();

    // From the cursor on, while nobody listened: once each, then live.
    for (const text of ['two', 'three']) await say(other, text);
    const resumed = front.subscribe(InboxDocument, { after: events[4]?.inbox.cursor ?? '' });
    await resumed.waitFor(3);
    await say(other, 'four');
    const heard = told(await resumed.waitFor(4));
    expect(heard.filter((text) => text !== 'InboxHeartbeat')).toEqual([
      'MessageAdded 2 two',
      'MessageAdded 3 three',
      'MessageAdded 4 four',
    ]);
    // Where the replay ends is chance: a message may still have been on its way to the log.
    expect(heard).toContain('InboxHeartbeat');
    // An older cursor shows messages as they are now.
    const again = front.subscribe(InboxDocument, { after: events[0]?.inbox.cursor ?? '' });
    expect(told(await again.waitFor(3))).toContain('MessageAdded 1 RecalledContent');

    const { conversation } = await front.ask(HistoryDocument, { conversationId, first: 10 });
    expect(conversation?.messages.edges.map(({ node }) => node.seq)).toEqual([1, 2, 3, 4]);

    await expectRefusals(front);
    expect(resumed.end).toBeUndefined();
    await front.close();
  });
});

/** An error is told as one, with its code, whatever was asked. */
async function expectRefusals(front: Front): Promise<void> {
  const refused = { code: 'NOT_FOUND', retryable: false };
  const unseen = front.subscribe(ConversationEventsDocument, { id: 'c_1wrzxjtjminf' });
  expect(await unseen.waitForEnd()).toBe('error');
  expect(unseen.errors.map(({ extensions }) => extensions)).toEqual([refused]);
  expect(unseen.events).toEqual([]);
  const malformed = front.subscribe(InboxDocument, { after: 'no cursor' });
  expect(await malformed.waitForEnd()).toBe('error');
  expect(malformed.errors[0]?.extensions).toMatchObject({ code: 'INVALID_ARGUMENT' });
  const input = { conversationId: 'c_1wrzxjtjminf', clientMessageId: 'x' };
  const sending = front.ask(SendMessageDocument, {
    input: { ...input, content: { text: { text: 'x' } } },
  });
  await expect(sending).rejects.toMatchObject({ errors: [{ extensions: refused }] });
}
