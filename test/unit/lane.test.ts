import { afterEach, expect, test, vi } from 'vitest';
import { encodeBody, type CommittedRow } from '../../src/domain/timeline/outbox.ts';
import { createLogger } from '../../src/lib/log.ts';
import { Lane } from '../../src/realtime/outbox/lane.ts';

/** An outbox in memory: what was committed, and how often it was read. */
function open(limits = { laneQueueRowsMax: 4, laneBatchRowsMax: 3, laneDoubtMs: 60 }) {
  const table: CommittedRow[] = [];
  const carried: bigint[][] = [];
  const found: bigint[] = [];
  const state = { reads: 0, isDown: false, hold: Promise.resolve() };
  const source = {
    index: 0,
    sql: {
      query: async (text: string, params: bigint[]) => {
        if (text.startsWith('SELECT id FROM')) {
          state.reads += 1;
          await state.hold;
          const [after = 0n, max] = params;
          const ordered = [...table].sort((a, b) => Number(a.id - b.id));
          return ordered.filter(({ id }) => id > after).slice(0, Number(max));
        }
        return table
          .filter(({ id }) => params.includes(id))
          .sort((a, b) => Number(a.id - b.id))
          .map((row) => ({ ...row, createdAtMs: 1n, body: encodeBody(row.body) }));
      },
    },
  };
  const lane = new Lane({
    source: source as never,
    log: createLogger({ level: 'silent' }),
    limits,
    carry: async (rows) => {
      await Promise.resolve();
      if (state.isDown) throw new Error('down');
      carried.push(rows.map(({ id }) => id));
    },
    onFound: (rows) => found.push(...rows.map(({ id }) => id)),
  });
  lanes.push(lane);
  return {
    lane,
    carried,
    found,
    state,
    /** As the writer does whose connection dies: the row is there, or will be, and nobody is told. */
    commitUntold(id: bigint): void {
      table.push({ shardIndex: 0, id, body: { parts: [] }, createdAtMs: 1, messages: [] });
    },
    commitAs(id: bigint): void {
      const row = { shardIndex: 0, id, body: { parts: [] }, createdAtMs: 1, messages: [] };
      table.push(row);
      lane.offer(row);
    },
    commit(count: number): void {
      for (let made = 0; made < count; made += 1) {
        const id = BigInt(table.length + 1);
        const row = { shardIndex: 0, id, body: { parts: [] }, createdAtMs: 1, messages: [] };
        table.push(row);
        lane.offer(row);
      }
    },
    async untilIdle(): Promise<void> {
      await vi.waitUntil(() => lane.position === BigInt(table.length));
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

const lanes: Lane[] = [];
afterEach(async () => {
  for (const lane of lanes.splice(0)) await lane.stop();
});

const ids = (count: number) => Array.from({ length: count }, (_, index) => BigInt(index + 1));

test('carries every row once and in order, and reads only at the start', async () => {
  const { lane, carried, state, commit, untilIdle } = open();
  commit(2);
  lane.start();
  await untilIdle();
  commit(1);
  await untilIdle();
  commit(3);
  await untilIdle();
  expect(carried.flat()).toEqual(ids(6));
  expect(state.reads).toBe(1);
});

test('reads from the outbox what overflowed the queue', async () => {
  const { lane, carried, state, commit, untilIdle } = open();
  lane.start();
  await untilIdle();
  commit(40);
  await untilIdle();
  expect(carried.flat()).toEqual(ids(40));
  expect(state.reads).toBeGreaterThan(1);
  expect(carried.every((rows) => rows.length <= 3)).toBe(true);
});

test('what is committed while the outbox is read comes after it, once', async () => {
  const { lane, carried, state, commit, untilIdle } = open();
  let release = (): void => undefined;
  state.hold = new Promise((resolve) => (release = resolve));
  commit(1);
  lane.start();
  await Promise.resolve();
  commit(2);
  release();
  await untilIdle();
  expect(carried.flat()).toEqual(ids(3));
});

test('goes on in order when the place answers again', async () => {
  const { lane, carried, state, commit, untilIdle } = open();
  lane.start();
  await untilIdle();
  state.isDown = true;
  commit(10);
  await vi.waitUntil(() => state.reads > 1);
  commit(3);
  expect(carried).toEqual([]);
  state.isDown = false;
  await untilIdle();
  expect(carried.flat()).toEqual(ids(13));
});

test('leaves nothing behind that is offered in the turn in which it ends', async () => {
  const { lane, carried, commit, untilIdle } = open();
  lane.start();
  await untilIdle();
  for (let ticks = 0; ticks < 30; ticks += 1) {
    commit(1);
    // At every distance from the end of the one before.
    for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
    commit(1);
    await untilIdle();
  }
  expect(carried.flat()).toEqual(ids(60));
});

test('stop leaves the rest in the outbox', async () => {
  const { lane, carried, state, commit } = open();
  lane.start();
  state.isDown = true;
  commit(2);
  await lane.stop();
  commit(1);
  expect(carried).toEqual([]);
  expect(lane.position).toBe(0n);
});

test('finds the row of a commit whose outcome was unknown, also behind later ones', async () => {
  const { lane, carried, found, commit, commitAs, commitUntold, untilIdle } = open();
  lane.start();
  commit(1);
  await untilIdle();
  lane.doubt();
  commitAs(3n);
  await vi.waitUntil(() => carried.flat().includes(3n));
  // Nothing up to the doubt's end may be marked as done beyond this.
  expect(lane.position).toBe(1n);
  commitUntold(2n);
  commitAs(4n);
  await vi.waitUntil(() => lane.position === 4n);
  expect(carried.flat()).toEqual([1n, 3n, 2n, 4n]);
  expect(found).toContain(2n);
  commit(1);
  await untilIdle();
  expect(carried.flat()).toEqual([1n, 3n, 2n, 4n, 5n]);
});

test('finds such a row when nothing is committed after it', async () => {
  const { lane, carried, commit, commitUntold, untilIdle } = open();
  lane.start();
  commit(1);
  await untilIdle();
  lane.doubt();
  commitUntold(2n);
  await untilIdle();
  expect(carried.flat()).toEqual([1n, 2n]);
});
