import { describe, expect, test } from 'vitest';
import { Apps } from '../../src/domain/app/app.ts';
import { Lsb, MemoryGateBook, type GateReport } from '../../src/domain/lsb/lsb.ts';
import { parseRules } from '../../src/domain/lsb/rules.ts';
import { createLogger } from '../../src/lib/log.ts';
import { limits } from '../../src/limits.ts';
import { Random } from '../kill/random.ts';

const nobody = { clientVersion: null, deviceId: null };

/** Nodes that share a book, on a clock of their own. */
class Nodes {
  nowMs = 1_000_000;
  readonly excess: number[] = [];
  /** What was logged, worse than warnings. */
  readonly errors: object[] = [];
  readonly #book = new MemoryGateBook({ clock: { now: () => this.nowMs }, limits });
  readonly #random = new Random(4);

  /** @param more `offMs`: by how much its clock is wrong. */
  async add(
    id: string,
    more: Partial<GateReport> & { rules?: unknown[]; offMs?: () => number } = {},
  ): Promise<Lsb> {
    const { state, rules = [], offMs = () => 0, ...report } = more;
    const held = { rules: parseRules({ rules }), revision: 1, changedAtMs: 1 };
    const lsb = new Lsb({
      book: this.#book,
      rules: { held },
      apps: new Apps(['default', 'shop']),
      own: () => ({
        id,
        life: `${id}.1`,
        httpUrl: `http://${id}/graphql`,
        apps: ['default'],
        track: 'stable',
        weight: 1,
        connections: 0,
        ...report,
      }),
      isReady: () => Promise.resolve(state !== 'NOT_READY'),
      onExcess: (count) => this.excess.push(count),
      shedPercentPerMinute: 20,
      clock: { now: () => this.nowMs + offMs() },
      random: () => this.#random.next(),
      log: createLogger(
        { level: 'error' },
        { write: (line: string) => void this.errors.push(JSON.parse(line) as object) },
      ),
      limits,
    });
    await lsb.listing.start();
    if (state === 'DRAINING') await lsb.listing.stop(0);
    return lsb;
  }
}

async function namedBy(lsb: Lsb, ask: object = {}): Promise<string> {
  const named = new Set<string>();
  for (let time = 0; time < 30; time += 1) {
    const { gateId, alternates } = await lsb.ticket({ appId: 'default', ...nobody, ...ask });
    named.add(gateId);
    for (const url of alternates) named.add(new URL(url).hostname);
  }
  return [...named].sort().join(' ');
}

describe('a ticket', () => {
  test('is for no gate that drains, not even as an alternate, and for one that is not ready only in need', async () => {
    const nodes = new Nodes();
    await nodes.add('a', { state: 'DRAINING' });
    await nodes.add('b', { state: 'NOT_READY' });
    const only = await nodes.add('c', { connections: 1_000 });
    expect(await namedBy(only)).toBe('c');
    await only.listing.stop(0);
    expect(await namedBy(only)).toBe('b');
  });

  test('is UNAVAILABLE where all gates drain, NOT_FOUND for an unknown app', async () => {
    const nodes = new Nodes();
    const one = await nodes.add('a', { state: 'DRAINING' });
    await expect(namedBy(one)).rejects.toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: 1_000 });
    await expect(namedBy(one, { appId: 'other' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const deviceId = 'x'.repeat(129);
    await expect(namedBy(one, { deviceId })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('keeps apps apart, whatever the rules say', async () => {
    const nodes = new Nodes();
    await nodes.add('shop', { apps: ['shop'] });
    const rules = [{ name: 'all', track: 'canary' }];
    const one = await nodes.add('canary', { track: 'canary', rules });
    expect(await namedBy(one)).toBe('canary');
    expect(await namedBy(one, { appId: 'shop' })).toBe('shop');
  });

  test('is of the track; else of the stable one; else of any', async () => {
    const nodes = new Nodes();
    const rules = [
      { name: 'new', track: 'canary', clientVersions: { from: '2.0' } },
      { name: 'gone', track: 'gone', clientVersions: { below: '1.0' } },
    ];
    const stable = await nodes.add('stable', { rules });
    await nodes.add('canary', { track: 'canary' });
    await stable.exchange();
    expect(await namedBy(stable, { clientVersion: '2.0' })).toBe('canary');
    expect(await namedBy(stable, { clientVersion: '1.0' })).toBe('stable');
    expect(await namedBy(stable, { clientVersion: '0.9' })).toBe('stable');
    await stable.listing.stop(0);
    expect(await namedBy(stable, { clientVersion: '1.0' })).toBe('canary');
  });

  test('without word from the others for a lease is for the own gate', async () => {
    const nodes = new Nodes();
    await nodes.add('a');
    const one = await nodes.add('b', { connections: 50 });
    expect(await namedBy(one)).toBe('a b');
    nodes.nowMs += limits.gateLeaseMs;
    expect(await namedBy(one)).toBe('b');
  });

  test('that another node has given counts here', async () => {
    const nodes = new Nodes();
    const one = await nodes.add('a');
    const other = await nodes.add('b', { connections: 5 });
    await one.exchange();
    for (let time = 0; time < 30; time += 1) await one.ticket({ appId: 'default', ...nobody });
    await one.exchange();
    await other.exchange();
    const loads = other.gates.map(({ connections, tickets }) => connections + tickets);
    expect(Math.abs(loads[0]! - loads[1]!)).toBeLessThanOrEqual(1);
  });
});

describe('a node that is called as another one', () => {
  test('says so once, and none does that comes back after it died', async () => {
    const nodes = new Nodes();
    await nodes.add('a', { life: 'a.dead' });
    const one = await nodes.add('a', { life: 'a.alive' });
    const turns = async (...all: Lsb[]): Promise<void> => {
      for (let turn = 0; turn < 12; turn += 1) {
        nodes.nowMs += limits.gateReportMs / 4;
        for (const lsb of all) await lsb.exchange();
      }
    };
    await turns(one);
    expect(nodes.errors).toEqual([]);
    const other = await nodes.add('a', { life: 'a.too', httpUrl: 'http://elsewhere/graphql' });
    await turns(one, other);
    expect(nodes.errors).toMatchObject([{ event: 'lsb.name_taken', gate: 'a' }]);
  });
});

describe('a node whose clock is set back', () => {
  test('goes on to report its gate, and to name those of the others', async () => {
    const nodes = new Nodes();
    let offMs = 0;
    const one = await nodes.add('a', { offMs: () => offMs });
    const other = await nodes.add('b');
    await one.exchange();
    offMs = -3_600_000;
    for (let turn = 0; turn < 8; turn += 1) {
      nodes.nowMs += limits.gateReportMs;
      for (const lsb of [one, other]) await lsb.exchange();
    }
    expect(await namedBy(other)).toBe('a b');
    expect(await namedBy(one)).toBe('a b');
  });

  test('names no gate of which it has not heard since', async () => {
    const nodes = new Nodes();
    let offMs = 0;
    await nodes.add('a');
    const one = await nodes.add('b', { offMs: () => offMs });
    expect(await namedBy(one)).toBe('a b');
    offMs = -3_600_000;
    nodes.nowMs += limits.gateLeaseMs;
    expect(await namedBy(one)).toBe('b');
  });
});

describe('where the clients of a gate are sent on to', () => {
  test('are gates of its track that serve their app and are open', async () => {
    const nodes = new Nodes();
    await nodes.add('drains', { state: 'DRAINING' });
    await nodes.add('canary', { track: 'canary' });
    await nodes.add('shop', { apps: ['shop'] });
    const own = await nodes.add('own', { apps: ['default', 'shop'], state: 'DRAINING' });
    expect(own.elsewhere('default')).toBeNull();
    expect(own.elsewhere('shop')).toBe('ws://shop/graphql');
    // Whose app is not known might be of any.
    expect(own.elsewhere(null)).toBeNull();
  });

  test('is one that is not ready, where the own gate drains and no other is open', async () => {
    const nodes = new Nodes();
    await nodes.add('slow', { state: 'NOT_READY' });
    const open = await nodes.add('open', { connections: 1_000 });
    expect(open.elsewhere('default')).toBeNull();
    const own = await nodes.add('own', { state: 'DRAINING' });
    expect(own.elsewhere('default')).toBe('ws://open/graphql');
    await open.listing.stop(0);
    await own.exchange();
    expect(own.elsewhere('default')).toBe('ws://slow/graphql');
  });

  test('are those below the mean, as long as the own gate is open', async () => {
    const nodes = new Nodes();
    await nodes.add('full', { connections: 900 });
    await nodes.add('empty', { connections: 100 });
    const own = await nodes.add('own', { connections: 1_000 });
    for (let time = 0; time < 20; time += 1) {
      expect(own.elsewhere('default')).toBe('ws://empty/graphql');
    }
    expect(nodes.excess.at(-1)).toBeGreaterThan(0);
  });
});
