import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { bundleServer } from '../support/bundle.ts';
import { signUp } from '../support/clients.ts';
import { addedSeqs, groupOf, openInbox, send } from '../support/live.ts';
import { mariadbAvailable, redisAvailable } from '../support/machine.ts';
import { Nodes } from '../support/nodes.ts';
import { freePort } from '../support/process.ts';
import { startRedis } from '../support/redis.ts';

const isHere = mariadbAvailable() && redisAvailable();
/** Of nobody but these tests: for localhost, signed by itself. */
const pem = (name: string): string =>
  fileURLToPath(new URL(`../support/tls/${name}.pem`, import.meta.url));

/** A Redis that speaks TLS at this port, and what nodes name it by. */
async function startTlsRedis() {
  const port = await freePort();
  const files = ['--tls-cert-file', pem('cert'), '--tls-key-file', pem('key')];
  const trust = ['--tls-ca-cert-file', pem('cert'), '--tls-auth-clients', 'no'];
  const redis = await startRedis(['--tls-port', String(port), ...files, ...trust]);
  return { redis, url: `rediss://localhost:${port}` };
}

it.skipIf(!isHere)(
  'nodes are joined by a Redis over TLS, where they trust its certificate',
  async () => {
    const { redis, url } = await startTlsRedis();
    await using _redis = redis;
    await using bundle = await bundleServer();
    await using nodes = await Nodes.start({
      ...{ redisUrls: [url], count: 2, main: bundle.main },
      env: { NODE_EXTRA_CA_CERTS: pem('cert') },
    });
    const ann = await signUp(nodes.at(0), 'ann');
    const bob = await signUp(nodes.at(1), 'bob');
    const inbox = await openInbox(bob);
    const id = await groupOf(ann, bob);
    const seq = await send(ann, id, 'hello');
    await inbox.until(() => addedSeqs(inbox).includes(seq), 'the message', 20_000);
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
