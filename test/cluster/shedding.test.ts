import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { operatorKeyIn } from '../../src/domain/app/app.ts';
import { bundleServer } from '../support/bundle.ts';
import { post, signUp } from '../support/clients.ts';
import { groupOf, range, send } from '../support/live.ts';
import { mariadbAvailable, redisAvailable } from '../support/machine.ts';
import { MovingClient } from '../support/moving-client.ts';
import { Nodes } from '../support/nodes.ts';
import { startRedis } from '../support/redis.ts';

const isHere = mariadbAvailable() && redisAvailable();
const clientCount = 24;
/** At a gate that ends shedding: the rest is a gap that it does not mind. */
const mostAtOne = Math.floor(clientCount * 0.65);

describe.skipIf(!isHere)('a gate that has what another lacks', () => {
  it('sheds slowly, until both have about as many, and nobody misses anything', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'fastim-shedding-'));
    const key = await operatorKeyIn(path.join(folder, 'operator-key'));
    await using bundle = await bundleServer();
    await using redis = await startRedis();
    await using nodes = await Nodes.start({
      ...{ redisUrls: [redis.url], count: 2, main: bundle.main },
      env: { DATA_DIR: folder, GATE_SHED_PERCENT: '100' },
    });
    const full = nodes.at(0);
    const ann = await signUp(nodes.at(1), 'ann');
    const people = await Promise.all(
      range(1, clientCount).map((one) => signUp(full, `shed_${one}`)),
    );
    const id = await groupOf(ann, ...people);
    const clients = people.map((user) => new MovingClient(user, full.url));
    await Promise.all(clients.map((client) => client.come()));
    const counts = async (): Promise<number[]> => {
      const query = '{ gates { id connections } }';
      const { data } = await post<{ gates: { id: string; connections: number }[] }, object>(
        nodes.at(1),
        query,
        {},
        key,
      );
      const gates = [...(data?.gates ?? [])].sort((a, b) => (a.id < b.id ? -1 : 1));
      return gates.map(({ connections }) => connections);
    };
    const texts: string[] = [];
    const isShared = async (): Promise<boolean> => {
      const [first = 0, second = 0] = await counts();
      // What was not reported yet is at neither.
      return first + second >= clientCount && Math.max(first, second) <= mostAtOne;
    };
    const deadline = Date.now() + 120_000;
    while (!(await isShared()) && Date.now() < deadline) {
      texts.push(`text ${texts.length + 1}`);
      await send(ann, id, texts.at(-1) ?? '');
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    console.log(`connections: ${(await counts()).join(' and ')} after ${texts.length} messages`);
    expect(await isShared()).toBe(true);
    const moved = clients.filter(({ hints }) => hints.length > 0);
    // Slowly: no more than it takes, and each once.
    expect(moved.length).toBeLessThanOrEqual(mostAtOne);
    for (const { hints, url } of moved) {
      expect(hints).toHaveLength(1);
      expect(url).toBe(nodes.at(1).url);
    }
    for (const client of clients) {
      await expect.poll(() => client.texts, { timeout: 20_000 }).toEqual(texts);
    }
    await Promise.all(clients.map((client) => client.leave()));
    await rm(folder, { recursive: true, force: true });
  }, 240_000);
});
