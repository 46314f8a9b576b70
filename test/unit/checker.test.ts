import { describe, expect, it } from 'vitest';
import { check, type AnomalyName } from '../support/checker.ts';
import type { Call, Seen, Shown, StoredConversation } from '../support/history.ts';

/** A history that can be spoilt. */
interface Draft {
  calls: Call[];
  views: { user: string; events: Seen[] }[];
  store: {
    conversations: Mutable<StoredConversation>[];
    logs: { user: string; isWhole: boolean; runs: Mutable<Run>[] }[];
    undoneOutboxRows: number;
    untoldReads: number;
  };
}
type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Run = { conversation: string; firstSeq: number; count: number };
type Placed<T> = T extends { readonly position: number } ? Omit<T, 'position'> : never;

const conversation = 'c';
const created: Shown = { seq: 1, sender: 'ann', key: null, text: 'CREATED', changeSeq: 0 };
const sent = (seq: number, sender: string, changeSeq = 0): Shown => ({
  seq,
  sender,
  key: `k${seq}`,
  text: changeSeq > 0 ? 'edited' : `text ${seq}`,
  changeSeq,
});

function sending(seq: number, user: string, result: Call['result'] = 'ok'): Call {
  const text = `text ${seq}`;
  const answered = result === 'ok' ? seq : null;
  return { kind: 'send', user, conversation, key: `k${seq}`, text, result, seq: answered };
}

/** What everybody sees from the beginning on. */
const happenings: readonly Placed<Seen>[] = [
  { kind: 'conversation', conversation },
  { kind: 'added', conversation, message: created },
  { kind: 'added', conversation, message: sent(2, 'ann') },
  { kind: 'added', conversation, message: sent(3, 'bob') },
  { kind: 'changed', conversation, changeSeq: 1, message: sent(2, 'ann', 1) },
  { kind: 'added', conversation, message: sent(4, 'ann') },
  { kind: 'read', conversation, user: 'bob', readSeq: 4 },
];

function seen(events: readonly Placed<Seen>[]): Seen[] {
  return [
    { kind: 'opened', after: null },
    { kind: 'heartbeat', position: 0 },
    ...events.map((event, index) => ({ ...event, position: index + 1 })),
  ];
}

/** Ann and Bob from the beginning; Cem joins with message 5; Dan was there for a while. */
function holding(): Draft {
  const joined: Shown = { seq: 5, sender: 'ann', key: null, text: 'JOINED', changeSeq: 0 };
  const joining = { kind: 'added', conversation, message: joined } as const;
  const all = [...happenings, joining];
  const cem: Placed<Seen>[] = [{ kind: 'conversation', conversation }, joining];
  const dan: Placed<Seen>[] = [...happenings.slice(0, 3), { kind: 'removed', conversation }];
  const messages = [created, sent(2, 'ann', 1), sent(3, 'bob'), sent(4, 'ann'), joined];
  const runs = (...pairs: [number, number][]): Run[] =>
    pairs.map(([firstSeq, count]) => ({ conversation, firstSeq, count }));
  return {
    calls: [
      sending(2, 'ann', 'info'),
      sending(2, 'ann'),
      sending(9, 'bob', 'fail'),
      sending(3, 'bob'),
      sending(7, 'bob', 'info'),
      {
        kind: 'edit',
        user: 'ann',
        conversation,
        seq: 2,
        text: 'edited',
        result: 'ok',
        changeSeq: 1,
      },
      sending(4, 'ann'),
      { kind: 'read', user: 'bob', conversation, seq: 4, result: 'ok', readSeq: 4 },
    ],
    views: [
      { user: 'ann', events: seen(all) },
      { user: 'bob', events: seen(all) },
      { user: 'cem', events: seen(cem) },
      { user: 'dan', events: seen(dan) },
    ],
    store: {
      conversations: [
        {
          id: conversation,
          lastSeq: 5,
          changeSeq: 1,
          messages,
          members: [
            { user: 'ann', joinedSeq: 1, readSeq: 5, unreadCount: 0 },
            { user: 'bob', joinedSeq: 1, readSeq: 4, unreadCount: 1 },
            { user: 'cem', joinedSeq: 5, readSeq: 4, unreadCount: 1 },
          ],
        },
      ],
      logs: [
        { user: 'ann', isWhole: true, runs: runs([1, 3], [4, 2]) },
        { user: 'bob', isWhole: false, runs: runs([4, 2]) },
        { user: 'cem', isWhole: true, runs: runs([5, 1]) },
      ],
      undoneOutboxRows: 0,
      untoldReads: 0,
    },
  };
}

/** The events of Bob's view: opened, heartbeat, and then what happened. */
const bob = (draft: Draft): Seen[] => draft.views[1]!.events;
const stored = (draft: Draft): Mutable<StoredConversation> => draft.store.conversations[0]!;
const without = (draft: Draft, index: number): unknown => bob(draft).splice(index, 1);

/** Dan hears message 4 after message 2, and is out of it then. */
function passOver(draft: Draft, times: { heardAtMs: number; removalAskedAtMs?: number }): void {
  const { heardAtMs: atMs, removalAskedAtMs: askedAtMs } = times;
  const message = sent(4, 'ann');
  const dan = draft.views[3]!.events;
  dan.splice(-1, 1, { kind: 'added', position: 4, conversation, message, atMs });
  dan.push({ kind: 'removed', position: 5, conversation, atMs: 40 });
  if (askedAtMs === undefined) return;
  const removal = { kind: 'remove', user: 'ann', conversation, subject: 'dan' } as const;
  draft.calls.push({ ...removal, result: 'ok', askedAtMs });
}

function replaced<T>(list: readonly T[], index: number, change: object): T[] {
  return list.map((item, at) => (at === index ? { ...item, ...change } : item));
}

const spoilt: readonly [what: string, name: AnomalyName, spoil: (draft: Draft) => unknown][] = [
  [
    'an acknowledged message that is not stored',
    'lost-write',
    (draft) => draft.calls.push(sending(6, 'ann')),
  ],
  [
    'an acknowledged message that is stored elsewhere',
    'lost-write',
    (draft) => (draft.calls = replaced(draft.calls, 3, { seq: 9 })),
  ],
  [
    'a retry that is answered with another seq',
    'inconsistent-offsets',
    (draft) => draft.calls.push({ ...sending(2, 'ann'), seq: 3 } as Call),
  ],
  [
    'one key stored twice',
    'duplicate',
    (draft) => (stored(draft).messages = replaced(stored(draft).messages, 3, { key: 'k2' })),
  ],
  [
    'a refused message that is stored',
    'aborted-read',
    (draft) => draft.calls.splice(3, 1, sending(3, 'bob', 'fail')),
  ],
  ['a message that nobody sent', 'phantom', (draft) => draft.calls.splice(3, 1)],
  [
    'a text that nobody sent',
    'phantom',
    (draft) => (stored(draft).messages = replaced(stored(draft).messages, 3, { text: 'other' })),
  ],
  [
    'a hole in a timeline',
    'seq-gap',
    (draft) => (stored(draft).messages = stored(draft).messages.filter(({ seq }) => seq !== 3)),
  ],
  ['a timeline that ends early', 'seq-gap', (draft) => (stored(draft).lastSeq = 6)],
  [
    'a later message with a smaller seq',
    'nonmonotonic-send',
    (draft) => draft.calls.splice(0, 7, ...[6, 1, 0, 2, 3, 4, 5].map((at) => draft.calls[at]!)),
  ],
  [
    'an edit that is lost',
    'lost-change',
    (draft) => (stored(draft).messages = replaced(stored(draft).messages, 1, { changeSeq: 0 })),
  ],
  [
    'an edit that is stored otherwise',
    'lost-change',
    (draft) => (stored(draft).messages = replaced(stored(draft).messages, 1, { text: 'older' })),
  ],
  [
    'a read that is lost',
    'lost-read',
    (draft) => (stored(draft).members = replaced(stored(draft).members, 1, { readSeq: 3 })),
  ],
  [
    'a read that is answered with less than before',
    'nonmonotonic-read',
    (draft) => draft.calls.push({ ...draft.calls[7]!, readSeq: 3 } as Call),
  ],
  ['a message that a view passes over', 'poll-skip', (draft) => without(draft, 5)],
  ['a change that a view passes over', 'stale-view', (draft) => without(draft, 6)],
  [
    'a change that is told before an earlier one',
    'nonmonotonic-poll',
    (draft) => (bob(draft)[8] = { ...bob(draft)[6]!, position: 7 } as Seen),
  ],
  [
    'a message that is delivered twice',
    'nonmonotonic-poll',
    (draft) => bob(draft).push({ ...bob(draft)[9]!, position: 9 } as Seen),
  ],
  ['a last message that never comes', 'unseen', (draft) => without(draft, 9)],
  ['a conversation that a member is never told of', 'unseen', (draft) => bob(draft).splice(2)],
  [
    'a cursor that goes back',
    'nonmonotonic-cursor',
    (draft) => (bob(draft)[9] = { ...bob(draft)[9]!, position: 7 } as Seen),
  ],
  [
    'a heartbeat from behind',
    'nonmonotonic-cursor',
    (draft) => bob(draft).push({ kind: 'heartbeat', position: 3 }),
  ],
  ['a reset', 'unexpected-reset', (draft) => bob(draft).push({ kind: 'reset', position: 9 })],
  [
    'a change that comes after another message than elsewhere',
    'inconsistent-order',
    (draft) => {
      const [change, message] = [bob(draft)[6]!, bob(draft)[7]!];
      bob(draft).splice(
        6,
        2,
        { ...message, position: 5 } as Seen,
        { ...change, position: 6 } as Seen,
      );
    },
  ],
  [
    'two messages at one seq',
    'inconsistent-offsets',
    (draft) =>
      (bob(draft)[5] = { ...bob(draft)[5]!, message: { ...sent(3, 'ann'), key: 'x' } } as Seen),
  ],
  [
    'a message that is shown otherwise than it is stored',
    'stale-view',
    (draft) =>
      (bob(draft)[5] = { ...bob(draft)[5]!, message: { ...sent(3, 'bob'), text: 'x' } } as Seen),
  ],
  ['a message before its conversation', 'leak', (draft) => without(draft, 2)],
  [
    'a message after the removal',
    'leak',
    (draft) =>
      draft.views[3]!.events.push({
        kind: 'added',
        position: 5,
        conversation,
        message: sent(3, 'bob'),
      }),
  ],
  [
    'a message from before the joining',
    'leak',
    (draft) =>
      draft.views[2]!.events.splice(3, 0, {
        kind: 'added',
        position: 1.5,
        conversation,
        message: sent(4, 'ann'),
      }),
  ],
  ['a removal that is not told', 'stale-view', (draft) => draft.views[3]!.events.pop()],
  [
    'a read that is told twice',
    'nonmonotonic-read',
    (draft) => bob(draft).push({ ...bob(draft)[8]!, position: 9 } as Seen),
  ],
  ['a read that is not told', 'read-mismatch', (draft) => without(draft, 8)],
  ['a read that is not told to its reader', 'unread-mismatch', (draft) => without(draft, 8)],
  [
    'an unread count that is answered wrong',
    'unread-mismatch',
    (draft) => (stored(draft).members = replaced(stored(draft).members, 1, { unreadCount: 2 })),
  ],
  ['a log without a message', 'log-mismatch', (draft) => (draft.store.logs[0]!.runs[0]!.count = 2)],
  [
    'a log with a message twice',
    'log-mismatch',
    (draft) => (draft.store.logs[0]!.runs[1]!.firstSeq = 3),
  ],
  ['a log that ends early', 'log-mismatch', (draft) => draft.store.logs[1]!.runs[0]!.count--],
  ['a log without a conversation', 'log-mismatch', (draft) => draft.store.logs[2]!.runs.pop()],
  ['no log', 'log-mismatch', (draft) => draft.store.logs.pop()],
  [
    'somebody who reads on after their removal',
    'leak',
    (draft) =>
      draft.calls.push({
        kind: 'intrude',
        user: 'dan',
        conversation,
        what: 'history',
        result: 'ok',
      }),
  ],
  ['work that is not done', 'outbox-left', (draft) => (draft.store.undoneOutboxRows = 1)],
  ['a read that is not told to anybody', 'outbox-left', (draft) => (draft.store.untoldReads = 1)],
];

/** Something is wrong for 2 s, again and again, with a second between. */
function troublesTo(endMs: number): { fromMs: number; toMs: number }[] {
  const troubles = [];
  for (let fromMs = 10_500; fromMs < endMs; fromMs += 3_000) {
    troubles.push({ fromMs, toMs: fromMs + 2_000 });
  }
  return troubles;
}

describe('the checker', () => {
  it('finds nothing in a history that holds', () => {
    expect(check(holding())).toEqual([]);
  });

  it('lets a log begin anew for one who comes back after it was trimmed', () => {
    const resetTo = (position: number): AnomalyName[] => {
      const draft = holding();
      const conversations = draft.store.conversations.map((stored) => ({
        ...stored,
        conversation: stored.id,
        joinedSeq: 1,
        reads: stored.members.map(({ user, readSeq }) => ({ user, readSeq })),
      }));
      bob(draft).push({ kind: 'reset', position }, { kind: 'snapshot', position, conversations });
      return check(draft).map(({ name }) => name);
    };
    const last = bob(holding()).at(-1) as Extract<Seen, { position: number }>;
    expect(resetTo(last.position + 2_000)).toEqual([]);
    expect(resetTo(last.position + 1_999)).toEqual(['unexpected-reset']);
  });

  const over = { session: 'the phone', overAtMs: 10_000 };

  it.each([
    ['heard nothing after its end', 10_000, [], []],
    ['heard of it within the time that it takes', 13_000, [], []],
    ['heard on', 15_000, [], ['leak']],
    ['heard on, as something went wrong', 15_000, [{ fromMs: 9_000, toMs: 12_000 }], []],
    ['heard on, as one thing after the other went wrong', 20_000, troublesTo(18_000), []],
    ['heard on after that', 25_000, troublesTo(18_000), ['leak']],
    ['heard on before something went wrong', 15_000, [{ fromMs: 14_500, toMs: 19_000 }], ['leak']],
  ])('knows a session that %s', (_what, lastHeardAtMs, troubles, names) => {
    const ended = [{ ...over, lastHeardAtMs }];
    expect(check({ ...holding(), ended, troubles }).map(({ name }) => name)).toEqual(names);
  });

  it('takes an unknown result for neither', () => {
    const draft = holding();
    draft.calls[3] = sending(3, 'bob', 'info');
    expect(check(draft)).toEqual([]);
  });

  it('lets a replay pass over what was committed before a removal that was asked for', () => {
    const draft = holding();
    passOver(draft, { heardAtMs: 20, removalAskedAtMs: 10 });
    expect(check(draft)).toEqual([]);
  });

  it('lets a message come without its conversation where that is passed over for a removal', () => {
    const draft = holding();
    const dan = draft.views[3]!.events;
    const message = sent(4, 'ann');
    dan.splice(2, Infinity, { kind: 'added', position: 4, conversation, message, atMs: 20 });
    dan.push({ kind: 'removed', position: 5, conversation, atMs: 40 });
    const removal = { kind: 'remove', user: 'ann', conversation, subject: 'dan' } as const;
    expect(check(draft).map(({ name }) => name)).toEqual(['leak']);
    draft.calls.push({ ...removal, result: 'ok', askedAtMs: 10 });
    expect(check(draft)).toEqual([]);
  });

  it.each([
    ['and its removal had been asked for', { heardAtMs: 20, removalAskedAtMs: 10 }, []],
    ['and its removal had not', { heardAtMs: 20, removalAskedAtMs: 30 }, ['poll-skip']],
    ['and nobody removes', { heardAtMs: 20 }, ['poll-skip']],
  ])('judges what was passed over where the log is lost then, %s', (_when, times, names) => {
    const draft = holding();
    passOver(draft, times);
    const dan = draft.views[3]!.events;
    dan.splice(-1, 1, { kind: 'reset', position: 0, atMs: 38 });
    dan.push({ kind: 'snapshot', position: 0, atMs: 39, conversations: [] });
    const found = check({ ...draft, forgotAtMs: [35] });
    expect(found.map(({ name }) => name)).toEqual(names);
  });

  it('knows that a log that began anew tells removals again, and then of what came before the next', () => {
    const draft = holding();
    passOver(draft, { heardAtMs: 20, removalAskedAtMs: 10 });
    const dan = draft.views[3]!.events;
    const message = sent(4, 'ann');
    dan.push(
      { kind: 'reset', position: 0, atMs: 50 },
      { kind: 'snapshot', position: 0, atMs: 51, conversations: [] },
      { kind: 'removed', position: 1, conversation, atMs: 62 },
      { kind: 'added', position: 2, conversation, message, atMs: 63 },
      { kind: 'removed', position: 3, conversation, atMs: 64 },
    );
    const removal = { kind: 'remove', user: 'ann', conversation, subject: 'dan' } as const;
    const names = (askedAtMs: number): string[] => {
      const calls: Call[] = [...draft.calls, { ...removal, result: 'ok', askedAtMs }];
      return check({ ...draft, calls, forgotAtMs: [45] }).map(({ name }) => name);
    };
    // Told at 62 is the old one, or the new one.
    expect(names(60)).toEqual([]);
    expect(names(64)).toEqual(['leak']);
  });

  it.each([
    ['before its removal was asked for', { heardAtMs: 20, removalAskedAtMs: 30 }],
    ['and nobody removes', { heardAtMs: 20 }],
  ])('finds what a view passes over %s', (_when, times) => {
    const draft = holding();
    passOver(draft, times);
    expect(check(draft).map(({ name }) => name)).toEqual(['poll-skip']);
  });

  it.each(spoilt)('finds %s: %s', (_what, name, spoil) => {
    const draft = holding();
    spoil(draft);
    expect(check(draft).map((anomaly) => anomaly.name)).toContain(name);
  });
});
