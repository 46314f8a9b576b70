import { describe, expect, test } from 'vitest';
import { GateWorld } from './gate-world.ts';

/** Five gates, five LSBs that each choose by themselves, 20,000 clients. */
const gateCount = 5;
const clientCount = 20_000;
const seeds = [1, 2, 3];
const withinMs = 5 * 60_000;

async function worldOf(seed: number): Promise<GateWorld> {
  const world = new GateWorld(gateCount, seed);
  await world.start(clientCount / gateCount);
  return world;
}

/** How long it takes until all are within so much of each other, for good: then nobody is sent on any more. */
async function evenAfterMs(world: GateWorld, most: number): Promise<number> {
  const beganMs = world.nowMs;
  while (world.spread > most && world.nowMs - beganMs < withinMs) await world.run(1_000);
  return world.nowMs - beganMs;
}

describe.each(seeds)('five gates under 20,000 clients (seed %i)', (seed) => {
  test('one is killed and comes back empty: the storm is shared, and all are within 10 % of each other soon', async () => {
    const world = await worldOf(seed);
    const one = world.at(seed % gateCount);
    world.comeBack(world.kill(one), 3_000);
    await world.run(10_000);
    const share = clientCount / gateCount / (gateCount - 1);
    for (const gate of world.gates) {
      expect(gate.arrived).toBeLessThanOrEqual(gate === one ? 0 : 2 * share);
    }
    expect(world.loads.reduce((sum, load) => sum + load, 0)).toBe(clientCount);
    await world.revive(one);
    const ms = await evenAfterMs(world, 0.1);
    console.log(`seed ${seed}: even after ${ms / 1_000} s, ${world.failures} dials failed`);
    expect(ms).toBeLessThan(180_000);
    // And so it stays: whoever has moved has done so for good.
    await world.run(60_000);
    const moved = world.gates.reduce((sum, { arrived }) => sum + arrived, 0);
    await world.run(60_000);
    expect(world.spread).toBeLessThan(0.1);
    expect(world.gates.reduce((sum, { arrived }) => sum + arrived, 0) - moved).toBeLessThan(50);
  }, 120_000);

  test('one has come back empty when some of the others lose their clients: it gets no rush', async () => {
    const world = await worldOf(seed);
    const one = world.at(0);
    world.comeBack(world.kill(one), 3_000);
    await world.run(10_000);
    await world.revive(one);
    await world.run(1_000);
    for (const gate of world.gates) gate.arrived = 0;
    const lost = world.gates.slice(1).flatMap(({ clients }) => [...clients].slice(0, 1_000));
    for (const gate of world.gates) for (const client of lost) gate.clients.delete(client);
    world.comeBack(lost, 2_000);
    await world.run(4_000);
    const came = world.gates.map(({ arrived }) => arrived);
    console.log(`seed ${seed}: of ${lost.length} each got ${came.join(', ')}`);
    for (const count of came) expect(count).toBeLessThanOrEqual((2 * lost.length) / gateCount);
  }, 120_000);

  test('all lose all clients while one is restarting: the storm is even', async () => {
    const world = await worldOf(seed);
    const one = world.at(1);
    const clients = [...world.kill(one), ...world.breakAll()];
    for (const gate of world.gates) gate.arrived = 0;
    world.comeBack(clients, 5_000);
    await world.run(2_000);
    await world.revive(one);
    await world.run(10_000);
    const came = world.gates.map(({ arrived }) => arrived);
    console.log(`seed ${seed}: of all each got ${came.join(', ')}`);
    for (const count of came) expect(count).toBeLessThanOrEqual((1.4 * clientCount) / gateCount);
    expect(await evenAfterMs(world, 0.1)).toBeLessThan(120_000);
  }, 120_000);
});
