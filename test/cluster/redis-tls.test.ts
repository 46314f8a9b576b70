import { expect, it } from 'vitest';
import { bundleServer } from '../support/bundle.ts';
import { addedSeqs, briefs, meet, send } from '../support/live.ts';
import { mariadbAvailable, redisAvailable } from '../support/machine.ts';
import { Nodes } from '../support/nodes.ts';
import { freePort } from '../support/process.ts';
import { startRedis } from '../support/redis.ts';
import { tlsFlags, tlsTrusted } from '../support/redis-tls.ts';
import { startWatched } from '../support/sentinel.ts';

const isHere = mariadbAvailable() && redisAvailable();
const trusting = { NODE_EXTRA_CA_CERTS: tlsTrusted };

/** A Redis that speaks TLS at this port, and what nodes name it by. */
async function startTlsRedis() {
  const port = await freePort();
  return { redis: await startRedis(tlsFlags(port)), url: `rediss://localhost:${port}` };
}

it.skipIf(!isHere)(
  'nodes are joined by a Redis over TLS, where they trust its certificate',
  async () => {
    const { redis, url } = await startTlsRedis();
    await using _redis = redis;
    await using bundle = await bundleServer();
    await using nodes = await Nodes.start({
      ...{ redisUrls: [url], count: 2, main: bundle.main },
      env: trusting,
    });
    const { inbox } = await meet(nodes.at(0), nodes.at(1));
    inbox.stop();
  },
  120_000,
);

it.skipIf(!isHere)(
  'a certificate that nobody vouches for is no Redis',
  async () => {
    const { redis, url } = await startTlsRedis();
    await using _redis = redis;
    await using bundle = await bundleServer();
    await using nodes = await Nodes.start({ redisUrls: [url], count: 1, main: bundle.main });
    const ready = await fetch(`${nodes.at(0).url}/ready`);
    expect(await ready.json()).toEqual({ status: 'degraded', redisAway: [0] });
    expect(nodes.at(0).output).toMatch(/certificate/);
  },
  120_000,
);

it.skipIf(!isHere)(
  'sentinels name the primary over TLS, to who has their secret and its own, and the replica when that is dead',
  async () => {
    const waitMs = 60_000;
    await using watched = await startWatched({ ofRedis: 'p@ss,word', ofSentinel: 'o&r/s' });
    await using bundle = await bundleServer();
    await using nodes = await Nodes.start({
      ...{ redisUrls: [watched.url], count: 2, main: bundle.main, env: trusting },
    });
    const { ann, inbox, id } = await meet(nodes.at(0), nodes.at(1));
    await watched.primary.kill9();
    await expect.poll(() => watched.named(), { timeout: waitMs }).toBe('replica');
    await inbox.until(() => briefs(inbox).includes('reset'), 'the reset', waitMs);
    const next = await send(ann, id, 'and again');
    await inbox.until(() => addedSeqs(inbox).includes(next), 'the next message', waitMs);
    inbox.stop();
    for (const node of nodes.all) {
      expect(await node.stop()).toBe(0);
      expect(node.output).not.toMatch(/unhandledRejection|uncaughtException|"level":"fatal"/);
    }
  },
  300_000,
);
