import { describe, expect, it } from 'vitest';
import {
  InboxDocument,
  SendMessageDocument,
  type InboxEventPartsFragment,
} from '../../client/generated/documents.ts';
import { signUp, type TestUser } from '../support/clients.ts';
import { startTestServer } from '../support/server.ts';

const engines = ['sqlite', 'mysql'] as const;

function send(user: TestUser, conversationId: string, text: string) {
  return user.query(SendMessageDocument, {
    input: { conversationId, clientMessageId: text, content: { text: { text } } },
  });
}

function kinds(events: readonly { inbox: InboxEventPartsFragment }[]): string[] {
  return events.map(({ inbox }) => inbox.__typename);
}

describe.each(engines)('the inbox on %s', (engine) => {
  it('tells both sides of a first message, live and in order', async () => {
    await using server = await startTestServer({}, { engine });
    await using ann = await signUp(server, 'ann');
    await using bob = await signUp(server, 'bob');
    const live = (await bob.socket()).subscribe(InboxDocument, { after: null });
    await live.waitFor(1);
    const id = await ann.directWith(bob);
    await send(ann, id, 'hello');
    const events = await live.waitFor(3);
    expect(kinds(events)).toEqual(['InboxHeartbeat', 'ConversationChanged', 'MessageAdded']);
    expect(events[2]?.inbox).toMatchObject({
      message: { seq: 1, content: { text: 'hello' }, sender: { username: 'ann' } },
    });
  });

  it('resumes from a cursor without gap or repeat, over a restart', async () => {
    await using server = await startTestServer({}, { engine });
    await using ann = await signUp(server, 'ann');
    await using bob = await signUp(server, 'bob');
    const id = await ann.directWith(bob);
    const first = (await bob.socket()).subscribe(InboxDocument, { after: null });
    await send(ann, id, 'one');
    await first.waitFor(3);
    const after = first.events[2]?.inbox.cursor;
    for (const text of ['two', 'three', 'four']) await send(ann, id, text);
    await first.waitFor(6);
    await server.restart();
    const second = (await bob.socket()).subscribe(InboxDocument, { after });
    const events = await second.waitFor(4);
    expect(kinds(events)).toEqual([
      'MessageAdded',
      'MessageAdded',
      'MessageAdded',
      'InboxHeartbeat',
    ]);
    expect(events.slice(0, 3).map(({ inbox }) => inbox.cursor)).toHaveLength(3);
    await send(ann, id, 'five');
    const [, , , , fifth] = await second.waitFor(5);
    expect(fifth?.inbox).toMatchObject({ message: { seq: 5 } });
  });
});
