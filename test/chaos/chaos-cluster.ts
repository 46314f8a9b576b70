import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { World, type NodePlace } from '../kill/world.ts';
import { MoneyCrowd } from '../kill/money-crowd.ts';
import { pause } from '../kill/random.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { startMariadb, type TestMariadb } from '../support/mariadb.ts';
import type { ServerProcess } from '../support/process.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

/** The links of one node: to Redis, to each shard, and of its clients to it. */
export interface NodeLinks {
  readonly redis: FaultProxy;
  readonly shards: readonly FaultProxy[];
  readonly clients: FaultProxy;
}

/** How busy those are who use the cluster. */
export interface Bustle {
  /** Between two calls of one who has money, at most. */
  readonly claimsIdleMs: number;
  /** How many have money; default: a dozen. */
  readonly people?: number;
  /** Of a packet, at most; default: 10. */
  readonly sharesMax?: number;
  /** Between two calls of one who chats, in one conversation, at most; default: 25. */
  readonly chatIdleMs?: number;
}

interface Populating {
  /** The server to run. */
  readonly main: string;
  readonly seed: number;
  readonly keepsIn: string;
  readonly bustle: Bustle;
}

const redirect = new URL('redirect.mjs', import.meta.url).href;
const nodeCount = 3;
const shardCount = 2;
/** A replica follows its master within this. */
const followsWithinMs = 20_000;

/**
 * Three nodes on two shards and a Redis, all processes of its own, every link between them and to their clients through a
 * proxy that can spoil it; clients that chat, and a crowd that gives money away.
 */
export class ChaosCluster implements AsyncDisposable {
  readonly links: readonly NodeLinks[];
  readonly shards: readonly TestMariadb[];
  /** Where the links lead that are never spoilt. */
  readonly #besides: FaultProxy;
  readonly #folder: string;
  #redis: TestRedis;
  #world: World | null = null;
  #crowd: MoneyCrowd | null = null;

  /** `start` is the way to one. */
  constructor(parts: {
    links: readonly NodeLinks[];
    shards: readonly TestMariadb[];
    redis: TestRedis;
    besides: FaultProxy;
    folder: string;
  }) {
    this.links = parts.links;
    this.shards = parts.shards;
    this.#redis = parts.redis;
    this.#besides = parts.besides;
    this.#folder = parts.folder;
  }

  static async start(options: Populating): Promise<ChaosCluster> {
    const shards = await Promise.all(Array.from({ length: shardCount }, () => startMariadb()));
    const redis = await startRedis();
    const links: NodeLinks[] = [];
    for (let node = 0; node < nodeCount; node += 1) {
      links.push({
        redis: await FaultProxy.start(redis.port),
        shards: await Promise.all(shards.map(({ port }) => FaultProxy.start(port))),
        // To be told where the node is, once it has a port.
        clients: await FaultProxy.start(0),
      });
    }
    const besides = await FaultProxy.start(redis.port);
    const folder = await mkdtemp(path.join(tmpdir(), 'fastim-clocks-'));
    const cluster = new ChaosCluster({ links, shards, redis, besides, folder });
    try {
      await cluster.#populate(options);
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  get redis(): TestRedis {
    return this.#redis;
  }

  get world(): World {
    if (!this.#world) throw new Error('it has not started');
    return this.#world;
  }

  get crowd(): MoneyCrowd {
    if (!this.#crowd) throw new Error('it has not started');
    return this.#crowd;
  }

  get nodes(): readonly ServerProcess[] {
    return this.world.nodes;
  }

  /** All who use it begin, or go on. */
  run(): void {
    this.world.run({ cuts: false });
    this.crowd.run();
  }

  /** All who use it wait; what is under way is answered. */
  async hold(): Promise<void> {
    await Promise.all([this.world.hold(), this.crowd.pause()]);
  }

  linksOf(node: ServerProcess): NodeLinks {
    const links = this.links[this.nodes.indexOf(node)];
    if (!links) throw new Error('a node has links');
    return links;
  }

  /** From now on a node's clock is so much off. */
  async stepClock(node: ServerProcess, ms: number): Promise<void> {
    await writeFile(this.#clockFile(this.nodes.indexOf(node)), String(ms));
  }

  /** A replica that has followed the Redis that is there now, and follows nobody any more: what is written later it lacks. */
  async startReplica(): Promise<TestRedis> {
    const replica = await startRedis();
    try {
      await told(replica, async (client) => {
        await client.replicaof('127.0.0.1', this.#redis.port);
        const deadline = Date.now() + followsWithinMs;
        while (!(await client.info('replication')).includes('master_link_status:up')) {
          if (Date.now() > deadline) throw new Error('the replica does not follow');
          await pause(50);
        }
        await client.replicaof('NO', 'ONE');
      });
    } catch (error) {
      await replica.stop();
      throw error;
    }
    return replica;
  }

  /** The Redis that was there is lost, and another one is where it was. */
  async promote(replica: TestRedis): Promise<void> {
    const old = this.#redis;
    this.#redis = replica;
    await old.stop();
    for (const { redis } of this.links) redis.retarget(replica.port);
    this.#besides.retarget(replica.port);
  }

  flush(): Promise<void> {
    return told(this.#redis, async (client) => {
      await client.flushall();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const paused = this.#crowd?.pause().catch(() => undefined);
    await Promise.race([paused, pause(2_000)]);
    await this.#world?.[Symbol.asyncDispose]();
    for (const { redis, shards, clients } of this.links) {
      for (const link of [redis, ...shards, clients]) await link[Symbol.asyncDispose]();
    }
    await this.#besides[Symbol.asyncDispose]();
    await this.#redis.stop();
    await Promise.all(this.shards.map((shard) => shard.stop()));
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #populate({ main, seed, keepsIn, bustle }: Populating): Promise<void> {
    const databases = await Promise.all(this.shards.map((shard) => shard.createDatabase()));
    const place = (index: number, port: number): NodePlace => {
      const links = this.links[index];
      if (!links) throw new Error(`no links of node ${index}`);
      links.clients.retarget(port);
      const urls = databases.map((url, shard) => through(url, links.shards[shard]));
      const env = {
        DATABASE_URLS: urls.join(','),
        // All nodes must name the same Redis.
        NODE_OPTIONS: `--import=${redirect}`,
        REDIRECT_PORT: `${this.#besides.port}:${links.redis.port}`,
        CLOCK_FILE: this.#clockFile(index),
      };
      return { env, url: `http://127.0.0.1:${links.clients.port}` };
    };
    const { claimsIdleMs, chatIdleMs, ...crowd } = bustle;
    this.#world = await World.start({
      main,
      seed,
      keepsIn,
      hasLanes: true,
      hasMorePairs: true,
      ...(chatIdleMs !== undefined && { idleMs: chatIdleMs }),
      secondDevices: 4,
      databaseUrls: databases,
      cluster: {
        nodes: nodeCount,
        redisUrl: `redis://127.0.0.1:${this.#besides.port}`,
        place,
      },
      env: {
        LOG_LEVEL: 'error',
        OPERATIONS_PER_SECOND: '0',
        COST_PER_MINUTE: '0',
        SENDS_PER_MINUTE: '0',
        RED_PACKET_TTL_SECONDS: '3',
      },
    });
    const { anyNode: server, random, folder } = this.#world;
    const deps = { server, folder, random: random.fork(), isGone: () => false };
    this.#crowd = new MoneyCrowd({ ...deps, ...crowd, idleMs: claimsIdleMs });
    await this.#crowd.start();
  }

  #clockFile(index: number): string {
    return path.join(this.#folder, `clock-${index}`);
  }
}

/** Says something to a Redis, on a connection of its own. */
async function told(redis: TestRedis, say: (client: Redis) => Promise<void>): Promise<void> {
  const client = new Redis(redis.port, { retryStrategy: null });
  client.on('error', () => undefined);
  try {
    await say(client);
  } finally {
    client.disconnect();
  }
}

function through(url: string, link: FaultProxy | undefined): string {
  if (!link) throw new Error('a shard has a link');
  const changed = new URL(url);
  changed.port = String(link.port);
  return changed.href;
}
