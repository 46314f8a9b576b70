import { pause, type Random } from '../kill/random.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import type { ServerProcess } from '../support/process.ts';
import type { ChaosCluster } from './chaos-cluster.ts';

/** One thing that goes wrong, from its beginning until it is well again. @returns what it hit. */
export type Fault = (cluster: ChaosCluster, random: Random) => Promise<string>;

const settledWithinMs = 120_000;

function oneOf<T>(items: readonly T[], random: Random): T {
  const item = random.pick(items);
  if (item === undefined) throw new Error('there is none');
  return item;
}

function pidOf({ pid }: { readonly pid: number | undefined }): number {
  if (!pid) throw new Error('it does not run');
  return pid;
}

/** Stops a process for so long: to all others it is there, and says nothing. */
async function stopped(pid: number, ms: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  await pause(ms);
  process.kill(pid, 'SIGCONT');
}

/** Some clients know that the node is gone, or none does. */
async function gone(
  { world }: ChaosCluster,
  random: Random,
  node: ServerProcess,
  during: () => Promise<void>,
): Promise<void> {
  if (random.chance(0.5)) world.down.add(node);
  await during();
  world.down.delete(node);
}

/** As by what keeps services running: a node that finds a database away as well says so, ends, and is started again. */
async function startedOften(node: ServerProcess): Promise<void> {
  const deadline = Date.now() + settledWithinMs;
  for (;;) {
    try {
      await node.start();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await pause(300);
  }
}

const processFaults: Readonly<Record<string, Fault>> = {
  'node-killed': async (cluster, random) => {
    const node = oneOf(cluster.nodes, random);
    await gone(cluster, random, node, async () => {
      await node.kill9();
      const isPaired = cluster.world.troublesNow > 1;
      await pause(random.between(200, 2_000));
      await (isPaired ? startedOften(node) : node.start());
    });
    return node.url;
  },
  'node-stopped': async (cluster, random) => {
    const node = oneOf(cluster.nodes, random);
    await gone(cluster, random, node, () => stopped(pidOf(node), random.between(1_000, 6_000)));
    return node.url;
  },
  'shard-killed': async ({ shards }, random) => {
    const shard = oneOf(shards, random);
    await shard.kill9();
    await pause(random.between(100, 1_000));
    await shard.start();
    return `${shard.port}`;
  },
  'shard-stopped': async ({ shards }, random) => {
    const shard = oneOf(shards, random);
    await stopped(pidOf(shard), random.between(500, 4_000));
    return `${shard.port}`;
  },
  'clock-stepped': async (cluster, random) => {
    const node = oneOf(cluster.nodes, random);
    const ms = random.between(1_000, 30_000) * (random.chance(0.5) ? 1 : -1);
    await cluster.stepClock(node, ms);
    await pause(random.between(500, 3_000));
    await cluster.stepClock(node, 0);
    return `${node.url} by ${ms} ms`;
  },
};

const redisFaults: Readonly<Record<string, Fault>> = {
  'redis-stopped': async ({ redis }, random) => {
    await stopped(redis.pid, random.between(500, 5_000));
    return '';
  },
  'redis-restarted-empty': async ({ redis, world }, random) => {
    world.noteForgotten();
    await redis.kill9();
    await pause(random.between(0, 1_500));
    await redis.start();
    return '';
  },
  'redis-flushed': async (cluster) => {
    cluster.world.noteForgotten();
    await cluster.flush();
    return '';
  },
  'redis-replaced-by-a-stale-replica': async (cluster, random) => {
    const replica = await cluster.startReplica();
    const staleMs = random.between(50, 1_000);
    await pause(staleMs);
    cluster.world.noteForgotten();
    await cluster.promote(replica);
    return `${staleMs} ms stale`;
  },
};

const linkNames = ['redis', 'shard', 'clients'] as const;

function linkOf(name: (typeof linkNames)[number], cluster: ChaosCluster, random: Random) {
  const node = oneOf(cluster.nodes, random);
  const links = cluster.linksOf(node);
  const link = name === 'shard' ? oneOf(links.shards, random) : links[name];
  return { node, link };
}

async function spoilt(link: FaultProxy, spoil: () => void, ms: number): Promise<void> {
  spoil();
  await pause(ms);
  link.heal();
}

const linkFaults: Readonly<Record<string, Fault>> = Object.fromEntries(
  linkNames.flatMap((name): [string, Fault][] => [
    [
      `${name}-link-cut`,
      async (cluster, random) => {
        const { node, link } = linkOf(name, cluster, random);
        await spoilt(link, () => link.cut(), random.between(100, 2_500));
        return node.url;
      },
    ],
    [
      `${name}-link-delayed`,
      async (cluster, random) => {
        const { node, link } = linkOf(name, cluster, random);
        const ms = random.between(20, 400);
        await spoilt(link, () => link.delay(ms), random.between(500, 3_000));
        return `${node.url} by ${ms} ms`;
      },
    ],
    [
      `${name}-link-half-open`,
      async (cluster, random) => {
        const { node, link } = linkOf(name, cluster, random);
        await spoilt(link, () => link.silence(), random.between(500, 5_000));
        return node.url;
      },
    ],
  ]),
);

/** Cuts a link where something is said, and says whether it came to that. */
async function cutWhen(
  link: FaultProxy,
  ...[text, direction, passes]: [text: string, direction: 'up' | 'down', passes: boolean]
): Promise<boolean> {
  const sprung = link.cutAt(text, direction, { passes }).then(() => true);
  const isSprung = await Promise.race([sprung, pause(2_000).then(() => false)]);
  link.heal();
  return isSprung;
}

const answerFaults: Readonly<Record<string, Fault>> = {
  'append-answer-lost': async (cluster, random) => {
    const { node, link } = linkOf('redis', cluster, random);
    const isSprung = await cutWhen(link, 'evalsha', 'up', true);
    return `${node.url} ${isSprung}`;
  },
  'commit-answer-lost': async (cluster, random) => {
    const { node, link } = linkOf('shard', cluster, random);
    return `${node.url} ${await cutWhen(link, 'COMMIT', 'up', true)}`;
  },
  'publish-lost': async (cluster, random) => {
    const { node, link } = linkOf('redis', cluster, random);
    return `${node.url} ${await cutWhen(link, 'gate:', 'down', false)}`;
  },
  /** What nothing follows: no jump tells of it. */
  'last-publish-lost': async (cluster) => {
    const { world, nodes } = cluster;
    await cluster.hold();
    const links = nodes.map((node) => cluster.linksOf(node).redis);
    const sprung: number[] = [];
    links.forEach((link, index) => {
      void link.cutAt('gate:', 'down', { passes: false }).then(() => sprung.push(index));
    });
    await world.sendOneEach();
    const late = await world.settle(settledWithinMs);
    for (const link of links) link.heal();
    if (late.length > 0) throw new Error(`the last was never told: ${late.join('; ')}`);
    cluster.run();
    return `at ${sprung.length} nodes`;
  },
};

const clientFaults: Readonly<Record<string, Fault>> = {
  'slow-readers': async ({ world }, random) => {
    const slow = world.clients.filter(() => random.chance(0.4));
    for (const client of slow) client.stall(true);
    await pause(random.between(500, 4_000));
    for (const client of slow) client.stall(false);
    return `${slow.length} clients`;
  },
  'reconnect-storm': async ({ world }, random) => {
    for (let time = 0; time < 3; time += 1) {
      for (const client of world.clients) client.cut();
      await pause(random.between(100, 600));
    }
    return `${world.clients.length} clients, three times`;
  },
};

export const faults: Readonly<Record<string, Fault>> = {
  ...processFaults,
  ...redisFaults,
  ...linkFaults,
  ...answerFaults,
  ...clientFaults,
};
