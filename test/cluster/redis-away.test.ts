import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleServer, type Bundle } from '../support/bundle.ts';
import { post, signUp, TestSocket } from '../support/clients.ts';
import { addedSeqs, meet, send } from '../support/live.ts';
import { mariadbAvailable, redisAvailable } from '../support/machine.ts';
import { Nodes } from '../support/nodes.ts';
import { freePort } from '../support/process.ts';
import { startRedis } from '../support/redis.ts';

const isHere = mariadbAvailable() && redisAvailable();
/** Twice what docs/operating.md asks supervisors to wait: the machine may be busy. */
const stopWithinMs = 40_000;
/** What a process says that ended by what nobody heard. */
const unheard = /unhandledRejection|uncaughtException|"level":"fatal"/;

describe.skipIf(!isHere)('a node and a Redis that is not there', () => {
  let bundle: Bundle;
  let silent: Silent;

  beforeAll(async () => {
    bundle = await bundleServer();
    silent = await listenInSilence();
  });

  afterAll(async () => {
    await silent?.[Symbol.asyncDispose]();
    await bundle?.[Symbol.asyncDispose]();
  });

  const places: readonly (readonly [string, () => string])[] = [
    ['where nothing listens', () => 'redis://127.0.0.1:1'],
    ['where nobody answers', () => `redis://127.0.0.1:${silent.port}`],
    ['of a name that nobody has', () => 'redis://no-such-host.invalid'],
    ['by sentinels that do not answer', () => `sentinel://127.0.0.1:${silent.port}/main`],
  ];

  it.each(places)(
    '%s: it starts, says so, and stops as asked',
    async (_where, urlOf) => {
      await using nodes = await Nodes.start({
        ...{ redisUrls: [urlOf()], count: 1, main: bundle.main },
      });
      const node = nodes.at(0);
      expect(await (await fetch(`${node.url}/ready`)).json()).toEqual({
        status: 'degraded',
        redisAway: [0],
      });
      await expect(signUp(node, 'ann')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      const { data } = await post<{ gate: { gateId: string } }, object>(
        node,
        '{ gate { gateId } }',
        {},
      );
      expect(data?.gate.gateId).toBe('node-0');
      const beganMs = Date.now();
      expect(await node.stop()).toBe(0);
      expect(Date.now() - beganMs).toBeLessThan(stopWithinMs);
      expect(node.output).not.toMatch(unheard);
    },
    120_000,
  );

  it('at its start: it goes on by itself when that comes; and stops in time while it hangs', async () => {
    await using redis = await startRedis();
    await redis.kill9();
    await using nodes = await Nodes.start({
      ...{ redisUrls: [redis.url], count: 2, main: bundle.main },
    });
    await redis.start();
    const statuses = async () =>
      Promise.all(
        nodes.all.map(async ({ url }) => {
          const answer = (await (await fetch(`${url}/ready`)).json()) as { status: string };
          return answer.status;
        }),
      );
    await expect.poll(statuses, { timeout: 30_000 }).toEqual(['ready', 'ready']);
    const { ann, inbox, id, seq } = await meet(nodes.at(0), nodes.at(1));

    const socket = new TestSocket(nodes.at(0), { accessToken: ann.auth.accessToken });
    await socket.acknowledged;
    redis.pause();
    const sent = await send(ann, id, 'while it hangs');
    expect(sent).toBe(seq + 1);
    const beganMs = Date.now();
    expect(await nodes.at(0).stop()).toBe(0);
    expect(Date.now() - beganMs).toBeLessThan(stopWithinMs);
    expect((await socket.closed).code).toBe(4604);
    redis.resume();
    // What the one that is gone could not tell the other one does.
    await inbox.until(() => addedSeqs(inbox).includes(sent), 'the other message', 30_000);
    expect(await nodes.at(1).stop()).toBe(0);
    for (const { output } of nodes.all) expect(output).not.toMatch(unheard);
  }, 180_000);
});

interface Silent extends AsyncDisposable {
  readonly port: number;
}

/** Takes connections, and says nothing. */
async function listenInSilence(): Promise<Silent> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.resume();
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
