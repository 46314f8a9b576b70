import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { stateNotices } from '../../src/domain/red-packet/state-notices.ts';
import { createLogger } from '../../src/lib/log.ts';
import type { Statement } from '../../src/storage/sql.ts';
import { storages } from '../support/accounts.ts';
import { openMoney, type MoneyWorld } from '../support/money-nodes.ts';

const coalesceMs = 200;
const id = 7n;

/** Two nodes that tell the states of packets, which takes each of them a while; and what they have told. */
async function tellers(world: MoneyWorld) {
  const { sql } = world.shards.of(id);
  const told: number[] = [];
  const submit = async ({ beside }: { readonly beside: readonly Statement[] }): Promise<void> => {
    await pause(20);
    const [note] = beside;
    if (!note || !('text' in note)) throw new Error('nothing notes that it is told');
    await sql.transaction((tx) => tx.finish([note]));
    told.push(Number(note.params?.[0]));
  };
  const nodes = [1, 2].map(() =>
    stateNotices({
      shards: world.shards,
      clock: world.clock,
      log: createLogger({ level: 'silent' }),
      timelines: { submit } as never,
      coalesceMs,
    }),
  );
  for (const node of nodes) await node.start();
  const untold = async () =>
    (await sql.query('SELECT redPacketId FROM UntoldRedPacket WHERE redPacketId = ?', [id])).length;
  return {
    told,
    untold,
    /** As a claim leaves it. */
    async change(version: number) {
      const changed = await sql.execute(
        'UPDATE UntoldRedPacket SET version = ? WHERE redPacketId = ?',
        [version, id],
      );
      if (changed.affectedRows === 0) {
        await sql.execute(
          'INSERT INTO UntoldRedPacket (redPacketId, conversationId, seq, version) VALUES (?, 3, 2, ?)',
          [id, version],
        );
      }
      this.wake();
    },
    wake() {
      for (const node of nodes) for (const shard of world.shards.all) node.wake(shard.index);
    },
    async [Symbol.asyncDispose]() {
      for (const node of nodes) await node.stop();
    },
  };
}

describe.each(storages.filter(({ isHere }) => isHere()))(
  'states of red packets on $name',
  (storage) => {
    it('are told once, by whichever node, once in a second, and the last one always', async () => {
      await using world = await openMoney(storage);
      await using teller = await tellers(world);
      await teller.change(1);
      await vi.waitFor(() => expect(teller.told).toEqual([1]), 10_000);
      // Within the same second, by the clock that both go by, nobody tells more.
      await teller.change(2);
      await teller.change(3);
      await pause(4 * coalesceMs);
      expect(teller.told).toEqual([1]);
      world.clock.advance(coalesceMs);
      await vi.waitFor(() => expect(teller.told).toEqual([1, 3]), 10_000);
      // What was told is told to nobody again, and forgotten.
      world.clock.advance(coalesceMs);
      await vi.waitFor(async () => expect(await teller.untold()).toBe(0), 10_000);
      teller.wake();
      await pause(3 * coalesceMs);
      expect(teller.told).toEqual([1, 3]);
    });
  },
);
