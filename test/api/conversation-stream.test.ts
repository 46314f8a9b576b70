import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  AddMembersDocument,
  LeaveGroupDocument,
  RecallMessageDocument,
  RemoveMemberDocument,
  SendMessageDocument,
} from '../../client/generated/documents.ts';
import { Messages } from '../../src/domain/message/message.ts';
import { Followers } from '../../src/realtime/conversation/followers.ts';
import type { TestUser } from '../support/clients.ts';
import {
  briefsOf,
  edit,
  follow,
  groupOf,
  pause,
  people,
  range,
  send,
  type ConversationRecording,
} from '../support/live.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

async function untilBrief(recording: ConversationRecording, what: string): Promise<void> {
  await recording.until(() => briefsOf(recording).includes(what), what);
}

describe.each(['sqlite', 'mysql'] as const)('following a conversation on %s', (engine) => {
  let server: TestServer;
  let ann: TestUser, bob: TestUser, cat: TestUser;
  let id: string;
  beforeAll(async () => {
    server = await startTestServer({}, { engine, limits: { pageMessagesMax: 4 } });
    [ann, bob, cat] = (await people(server, 3)) as [TestUser, TestUser, TestUser];
    id = await groupOf(ann, bob);
    for (const seq of range(2, 11)) await send(ann, id, `m${seq}`);
    // Changes 1 to 4: of 2, 10, 3, 2.
    for (const seq of [2, 10, 3]) await edit(ann, id, seq, `edited ${seq}`);
    await ann.query(RecallMessageDocument, { input: { conversationId: id, seq: 2 } });
  });
  afterAll(async () => {
    for (const user of [ann, bob, cat]) await user[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  it.each([
    ['nothing', {}, []],
    ['a seq', { afterSeq: 8 }, ['added 9', 'added 10', 'added 11']],
    ['the end', { afterSeq: 11, afterChangeSeq: 4 }, []],
    // What is given as new is not given as changed as well.
    [
      'a seq and a changeSeq',
      { afterSeq: 8, afterChangeSeq: 0 },
      ['added 9', 'added 10', 'added 11', 'changed 3@3', 'changed 2@4'],
    ],
    ['a later changeSeq', { afterSeq: 11, afterChangeSeq: 3 }, ['changed 2@4']],
    ['the beginning', { afterSeq: 0, afterChangeSeq: 0 }, range(1, 11).map((s) => `added ${s}`)],
  ])('replays after %s, says so once, and goes on live', async (_what, from, replay) => {
    const other = await groupOf(ann, bob);
    await send(ann, other, 'elsewhere');
    const recording = await follow(bob, id, from);
    await untilBrief(recording, 'caught up 11@4');
    expect(briefsOf(recording)).toEqual([...replay, 'caught up 11@4']);
    recording.stop();
  });

  it('goes on live: messages, changes, in their order', async () => {
    const own = await groupOf(ann, bob);
    const recording = await follow(bob, own);
    await recording.waitFor(1);
    await send(ann, own, 'one');
    await send(bob, own, 'two');
    await edit(ann, own, 2, 'one, edited');
    await send(ann, own, 'three');
    await ann.query(RecallMessageDocument, { input: { conversationId: own, seq: 3 } });
    await recording.waitFor(6);
    const told = ['caught up 1@0', 'added 2', 'added 3', 'changed 2@1', 'added 4', 'changed 3@2'];
    expect(briefsOf(recording)).toEqual(told);
    expect(recording.events.at(-1)?.conversation).toMatchObject({
      message: { content: { __typename: 'RecalledContent' }, changeSeq: 2 },
    });
    recording.stop();
  });

  it.each([
    ['a negative seq', { afterSeq: -1 }],
    ['a seq beyond the last', { afterSeq: 12 }],
    ['a changeSeq alone', { afterChangeSeq: 1 }],
    ['a negative changeSeq', { afterSeq: 1, afterChangeSeq: -1 }],
    ['a changeSeq beyond the last', { afterSeq: 1, afterChangeSeq: 5 }],
  ])('refuses %s', async (_what, from) => {
    const recording = await follow(bob, id, from);
    expect(await recording.waitForEnd()).toBe('error');
    expect(recording.errors[0]?.extensions?.['code']).toBe('INVALID_ARGUMENT');
  });

  it('refuses what is malformed, unknown, or not the viewer’s', async () => {
    const codes = { nonsense: 'INVALID_ARGUMENT', c_1: 'NOT_FOUND', [id]: 'NOT_FOUND' };
    for (const [given, code] of Object.entries(codes)) {
      const recording = await follow(cat, given);
      expect(await recording.waitForEnd()).toBe('error');
      expect(recording.errors[0]?.extensions?.['code']).toBe(code);
    }
  });

  it('reads from the timeline what did not come live', async () => {
    const own = await groupOf(ann, bob);
    const recording = await follow(bob, own);
    await recording.waitFor(1);
    const lose = vi.spyOn(Followers.prototype, 'tell').mockImplementation(() => undefined);
    for (const seq of range(2, 8)) await send(ann, own, `lost ${seq}`);
    await edit(ann, own, 2, 'lost edit');
    await edit(ann, own, 8, 'lost edit');
    lose.mockRestore();
    await send(ann, own, 'heard');
    await untilBrief(recording, 'added 9');
    expect(briefsOf(recording)).toEqual([
      'caught up 1@0',
      ...range(2, 9).map((seq) => `added ${seq}`),
    ]);
    await edit(ann, own, 3, 'edit');
    await untilBrief(recording, 'changed 3@3');
    expect(briefsOf(recording).slice(9)).toEqual(['changed 3@3']);
    recording.stop();
  });

  it('gives a message that changes during the replay once, as it is', async () => {
    const own = await groupOf(ann, bob);
    for (const seq of range(2, 9)) await send(ann, own, `m${seq}`);
    const { page } = Messages.prototype;
    let pages = 0;
    vi.spyOn(Messages.prototype, 'page').mockImplementation(async function (
      this: Messages,
      ...args
    ) {
      pages += 1;
      // One that was given already, one that comes on this page.
      if (pages === 2) for (const seq of [3, 7]) await edit(ann, own, seq, `edited ${seq}`);
      return page.apply(this, args);
    });
    const recording = await follow(bob, own, { afterSeq: 0, afterChangeSeq: 0 });
    await untilBrief(recording, 'caught up 9@2');
    const told = [...range(1, 9).map((seq) => `added ${seq}`), 'changed 3@1', 'caught up 9@2'];
    expect(briefsOf(recording)).toEqual(told);
    recording.stop();
  });

  it('completes when the viewer is removed or leaves, before that is shown', async () => {
    for (const how of ['removed', 'left']) {
      const own = await groupOf(ann, bob, cat);
      const ofBob = await follow(bob, own);
      const ofCat = await follow(cat, own);
      await ofBob.waitFor(1);
      await ofCat.waitFor(1);
      await send(ann, own, 'the last one');
      if (how === 'left') await bob.query(LeaveGroupDocument, { conversationId: own });
      else {
        const input = { conversationId: own, userId: bob.id };
        await ann.query(RemoveMemberDocument, { input });
      }
      expect(await ofBob.waitForEnd()).toBe('complete');
      expect(briefsOf(ofBob)).toEqual(['caught up 1@0', 'added 2']);
      expect(ofBob.errors).toEqual([]);
      // Coming back takes a new subscription, and begins anew.
      await ann.query(AddMembersDocument, { input: { conversationId: own, userIds: [bob.id] } });
      await untilBrief(ofCat, 'added 4');
      const again = await follow(bob, own, { afterSeq: 0, afterChangeSeq: 0 });
      await again.waitFor(2);
      expect(briefsOf(again)).toEqual(['added 4', 'caught up 4@0']);
      expect(ofBob.events).toHaveLength(2);
      await edit(ann, own, 2, 'from before the joining');
      await send(ann, own, 'and on');
      await untilBrief(again, 'added 5');
      expect(briefsOf(again).slice(2)).toEqual(['added 5']);
      for (const recording of [ofCat, again]) recording.stop();
    }
  });

  it('completes without error when the viewer is removed in the midst of the replay', async () => {
    const own = await groupOf(ann, bob);
    for (const seq of range(2, 12)) await send(ann, own, `m${seq}`);
    const { page } = Messages.prototype;
    let pages = 0;
    vi.spyOn(Messages.prototype, 'page').mockImplementation(async function (
      this: Messages,
      ...args
    ) {
      pages += 1;
      if (pages === 2) {
        const input = { conversationId: own, userId: bob.id };
        await ann.query(RemoveMemberDocument, { input });
      }
      return page.apply(this, args);
    });
    const recording = await follow(bob, own, { afterSeq: 0 });
    expect(await recording.waitForEnd()).toBe('complete');
    expect(recording.errors).toEqual([]);
    expect(briefsOf(recording)).toEqual(range(1, 4).map((seq) => `added ${seq}`));
  });

  it('has no gap and no repeat where it starts amid sends and edits', async () => {
    const own = await groupOf(ann, bob);
    let isOver = false;
    const sending = (async () => {
      for (let sent = 0; !isOver; sent += 1) {
        await Promise.all([
          send(ann, own, `a${sent}`),
          send(bob, own, `b${sent}`),
          edit(ann, own, 2, `edit ${sent}`).catch(() => undefined),
        ]);
      }
    })();
    await pause(100);
    const recordings: ConversationRecording[] = [];
    for (let started = 0; started < 5; started += 1) {
      recordings.push(await follow(bob, own, { afterSeq: 0, afterChangeSeq: 0 }));
      await pause(100);
    }
    isOver = true;
    await sending;
    const { sendMessage } = await ann.query(SendMessageDocument, {
      input: { conversationId: own, clientMessageId: 'end', content: { text: { text: 'end' } } },
    });
    for (const recording of recordings) {
      await untilBrief(recording, `added ${sendMessage.message.seq}`);
      await recording.until(() => briefsOf(recording).join().includes('caught up'), 'the end');
      const told = recording.events.map(({ conversation }) => conversation);
      const added = told.flatMap((event) =>
        event.__typename === 'ConversationMessageAdded' ? [event.message.seq] : [],
      );
      expect(added).toEqual(range(1, sendMessage.message.seq));
      const changes = told.flatMap((event) =>
        event.__typename === 'ConversationMessageChanged' ? [event.changeSeq] : [],
      );
      expect(changes).toEqual([...new Set(changes)].sort((a, b) => a - b));
      expect(told.filter((event) => event.__typename === 'ConversationCaughtUp')).toHaveLength(1);
      recording.stop();
    }
  });
});
