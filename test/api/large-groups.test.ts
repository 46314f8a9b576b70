import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  AddMembersDocument,
  LeaveGroupDocument,
  RemoveMemberDocument,
  SetMemberRoleDocument,
  UpdateGroupDocument,
} from '../../client/generated/documents.ts';
import type { TestUser } from '../support/clients.ts';
import {
  addedSeqs,
  brief,
  briefs,
  briefsOf,
  cursorAt,
  edit,
  follow,
  toldGroupOf,
  headOf,
  inboxOf,
  markRead,
  openInbox,
  pause,
  people,
  pull,
  range,
  send,
  type InboxEvent,
  type InboxRecording,
} from '../support/live.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const coalesceMs = 400;
// Large above 4 members, until below 3.
const groups = { largeAboveMembers: 4, receiptsUpToMembers: 50 };

function advances(recording: InboxRecording) {
  return inboxOf(recording).filter((event) => event.__typename === 'ConversationAdvanced');
}

function lastAdvance(recording: InboxRecording): string {
  return briefs(recording).findLast((text) => text.startsWith('advanced')) ?? '';
}

function add(by: TestUser, conversationId: string, ...users: TestUser[]) {
  const userIds = users.map(({ id }) => id);
  return by.query(AddMembersDocument, { input: { conversationId, userIds } });
}

function remove(by: TestUser, conversationId: string, user: TestUser) {
  return by.query(RemoveMemberDocument, { input: { conversationId, userId: user.id } });
}

describe.each(['sqlite', 'mysql'] as const)('large groups on %s', (engine) => {
  let server: TestServer;
  let users: TestUser[];
  let ann: TestUser, bob: TestUser, cat: TestUser, dan: TestUser, eve: TestUser, fay: TestUser;
  beforeAll(async () => {
    server = await startTestServer(
      { groups },
      { engine, limits: { advancedCoalesceMs: coalesceMs } },
    );
    users = await people(server, 6);
    [ann, bob, cat, dan, eve, fay] = users as [
      TestUser,
      TestUser,
      TestUser,
      TestUser,
      TestUser,
      TestUser,
    ];
  });
  afterAll(async () => {
    for (const user of users) await user[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  it('crossing the limit either way is one notice, and the other regime from there on', async () => {
    const id = await toldGroupOf(ann, bob, cat, dan);
    const ofBob = await openInbox(bob);
    await send(ann, id, 'small');
    await add(ann, id, eve);
    await ofBob.until(() => advances(ofBob).length === 1, 'the crossing');
    expect(briefs(ofBob).slice(-4)).toEqual(['added 2', 'conversation', 'added 3', 'advanced 3@0']);
    await pause(coalesceMs + 100);
    // Up to here one; what happens in the large group is told by notices alone.
    expect(advances(ofBob)).toHaveLength(1);
    await send(ann, id, 'large');
    await ofBob.until(() => lastAdvance(ofBob) === 'advanced 4@0', 'the notice');
    await pause(coalesceMs + 100);
    const before = ofBob.events.length;
    await remove(ann, id, eve);
    await remove(ann, id, dan);
    await pause(coalesceMs + 100);
    await remove(ann, id, cat);
    await ofBob.until(() => lastAdvance(ofBob) === 'advanced 7@0', 'the crossing down');
    await pause(2 * coalesceMs);
    expect(briefs(ofBob).filter((text) => text === 'advanced 7@0')).toHaveLength(1);
    expect(addedSeqs(ofBob)).toEqual([2, 3]);
    expect(ofBob.events.length - before).toBeLessThanOrEqual(3);
    await send(ann, id, 'small again');
    await ofBob.until(() => addedSeqs(ofBob).includes(8), 'the message');
    await pause(coalesceMs + 100);
    expect(briefs(ofBob).at(-1)).toBe('added 8');
    // The log tells both crossings, and what lies outside of them.
    const told = (await pull(bob, cursorAt(ofBob, 0))).events.map(brief);
    expect(told.slice(0, 3)).toEqual(['added 2', 'conversation', 'added 3']);
    expect(told.filter((text) => text.startsWith('advanced'))).toHaveLength(2);
    expect(told.at(-1)).toBe('added 8');
    ofBob.stop();
  });

  it('coalesces notices, and the last one arrives', async () => {
    const id = await toldGroupOf(ann, bob, cat, dan, eve);
    const recordings = await Promise.all([openInbox(bob), openInbox(ann)]);
    // What was told on opening is behind us.
    await pause(50);
    const from = recordings.map((recording) => advances(recording).length);
    const begun = Date.now();
    for (const index of range(1, 40)) await send(ann, id, `${index}`);
    await edit(ann, id, 2, 'edited');
    const title = { conversationId: id, title: 'Other' };
    await ann.query(UpdateGroupDocument, { input: title });
    for (const [index, recording] of recordings.entries()) {
      await recording.until(() => lastAdvance(recording) === 'advanced 42@1', 'the last one');
      const took = Date.now() - begun;
      const notices = advances(recording).slice(from[index]);
      expect(notices.length).toBeLessThanOrEqual(2 + Math.ceil(took / coalesceMs));
      expect(addedSeqs(recording)).toEqual([]);
      recording.stop();
    }
  });

  it('still tells the viewer’s own role, joining, removal and reads', async () => {
    const id = await toldGroupOf(ann, bob, cat, dan, eve);
    const ofBob = await openInbox(bob);
    const ofFay = await openInbox(fay);
    await send(ann, id, 'hello');
    await markRead(bob, id, 2);
    await markRead(cat, id, 2);
    await ofBob.until(() => briefs(ofBob).includes(`read ${bob.id} 2`), 'the own read');
    const role = { conversationId: id, userId: bob.id, role: 'ADMIN' as const };
    await ann.query(SetMemberRoleDocument, { input: role });
    await ofBob.until(() => briefs(ofBob).includes('conversation'), 'the role');
    await add(ann, id, fay);
    await ofFay.until(() => briefs(ofFay).includes('conversation'), 'the joining');
    await send(ann, id, 'to all');
    await ofFay.until(() => lastAdvance(ofFay) === 'advanced 5@0', 'a notice');
    await pause(1_200);
    expect(briefs(ofBob).filter((text) => text === 'conversation')).toHaveLength(1);
    expect(briefs(ofBob).join()).not.toContain(`read ${cat.id}`);
    await remove(ann, id, fay);
    await bob.query(LeaveGroupDocument, { conversationId: id });
    for (const recording of [ofFay, ofBob]) {
      await recording.until(() => briefs(recording).includes('removed'), 'the end');
    }
    await send(ann, id, 'after');
    await pause(coalesceMs + 200);
    for (const recording of [ofFay, ofBob]) expect(briefs(recording).at(-1)).toBe('removed');
    for (const recording of [ofFay, ofBob]) recording.stop();
  });

  it('says on resume, and in the pull form, which groups moved', async () => {
    const quiet = await toldGroupOf(ann, bob, cat, dan, eve);
    const moving = await toldGroupOf(ann, bob, cat, dan, eve);
    const from = await headOf(bob);
    await send(ann, moving, 'new');
    await send(ann, moving, 'newer');
    const page = await pull(bob, from);
    const notice = page.events.find((e) => 'conversation' in e && e.conversation.id === moving);
    expect(notice && brief(notice)).toBe('advanced 3@0');
    expect(
      page.events.filter((e) => 'conversation' in e && e.conversation.id === moving),
    ).toHaveLength(1);
    // Notices never make a page longer than it may be.
    const none = await pull(bob, from, 0);
    expect(none).toEqual({ events: [], endCursor: from, hasMore: true });
    const resumed = await openInbox(bob, from);
    await resumed.until(() => briefs(resumed).includes('heartbeat'), 'the end');
    expect(briefs(resumed)).toContain('advanced 3@0');
    expect(briefs(resumed).at(-1)).toBe('heartbeat');
    await send(ann, quiet, 'goes on');
    await resumed.until(() => briefs(resumed).includes('advanced 2@0'), 'live');
    resumed.stop();
  });

  it('pages of the pull form hold no more than they may, and tell each group once', async () => {
    const groups = new Set<string>();
    const [watcher] = (await people(server, 1)) as [TestUser];
    for (let group = 0; group < 5; group += 1) {
      groups.add(await toldGroupOf(ann, watcher, cat, dan, eve));
    }
    const from = await headOf(watcher);
    const [first = ''] = [...groups];
    for (const id of groups) await send(ann, id, 'moves');
    for (const size of [1, 2, 3, 5, 200]) {
      const told: string[] = [];
      let page = await pull(watcher, from, size);
      for (let pages = 1; ; pages += 1) {
        expect(page.events.length).toBeLessThanOrEqual(size);
        const ids = page.events.map((e) => ('conversation' in e ? e.conversation.id : ''));
        told.push(...ids.filter((id) => groups.has(id)));
        if (!page.hasMore) break;
        // Whoever stops after the last event goes on as from the page's end.
        expect(page.events.at(-1)?.cursor).toBe(page.endCursor);
        // What moves again when it has been told is told again at the end.
        if (pages === 1 && size === 2) await send(ann, told[0] ?? first, 'again');
        page = await pull(watcher, page.endCursor, size);
      }
      expect(told.toSorted()).toEqual([...groups].toSorted());
      if (size !== 2) continue;
      const { events } = await pull(watcher, page.endCursor, 200);
      const again = events.find((e) => 'conversation' in e && e.conversation.id === told[0]);
      expect(again && brief(again)).toBe('advanced 3@0');
    }
    // As a subscription it goes on from the midst of the notices, too.
    const { endCursor } = await pull(watcher, from, 2);
    const resumed = await openInbox(watcher, endCursor);
    await resumed.until(() => briefs(resumed).includes('heartbeat'), 'the end');
    expect(new Set(advances(resumed).map(({ conversation }) => conversation.id))).toEqual(groups);
    resumed.stop();
  });

  it('can be followed message by message', async () => {
    const id = await toldGroupOf(ann, bob, cat, dan, eve);
    const recording = await follow(bob, id, { afterSeq: 0, afterChangeSeq: 0 });
    await recording.waitFor(2);
    await send(ann, id, 'one');
    await edit(ann, id, 2, 'edited');
    await recording.waitFor(4);
    expect(briefsOf(recording)).toEqual(['added 1', 'caught up 1@0', 'added 2', 'changed 2@1']);
    recording.stop();
  });

  it('loses and doubles nothing across the limit under load', async () => {
    const id = await toldGroupOf(ann, bob, cat, dan);
    const ofBob = await openInbox(bob);
    const ofCat = await openInbox(cat);
    const begin = cursorAt(ofBob, 0);
    let isOver = false;
    const sending = [ann, bob].map(async (user) => {
      for (let sent = 0; !isOver; sent += 1) await send(user, id, `${user.id} ${sent}`);
    });
    for (let round = 0; round < 3; round += 1) {
      await add(ann, id, eve, fay);
      await pause(120);
      for (const user of [eve, fay, dan]) await remove(ann, id, user);
      await remove(ann, id, cat);
      await add(ann, id, cat, dan);
      await pause(60);
    }
    isOver = true;
    await Promise.all(sending);
    const last = await send(ann, id, 'the last one');
    await ofBob.until(() => addedSeqs(ofBob).includes(last), 'the last one');
    const replay = await openInbox(bob, begin);
    await replay.until(() => briefs(replay).includes('heartbeat'), 'the end');
    // Other groups are on this inbox as well.
    const isOfIt = (event: InboxEvent) =>
      event.__typename === 'ConversationAdvanced' && event.conversation.id === id;
    for (const recording of [ofBob, replay]) {
      const seqs = addedSeqs(recording);
      expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
      // What is missing lies before a notice that tells of it: between the two crossings.
      let next = seqs[0] ?? 0;
      let notified = next - 1;
      for (const event of inboxOf(recording)) {
        if ('lastSeq' in event && isOfIt(event)) notified = Math.max(notified, event.lastSeq);
        if (event.__typename !== 'MessageAdded') continue;
        expect(event.message.seq).toBeLessThanOrEqual(Math.max(next, notified + 1));
        next = event.message.seq + 1;
      }
      expect(next).toBe(last + 1);
    }
    const crossings = inboxOf(replay).filter(isOfIt);
    expect(crossings).toHaveLength(6);
    // Cat was a member at the end: the last stretch is whole.
    await ofCat.until(() => addedSeqs(ofCat).includes(last), 'for all members');
    for (const recording of [ofBob, ofCat, replay]) recording.stop();
  });
});
