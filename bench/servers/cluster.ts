import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '../../test/support/process.ts';
import { startRedis } from '../../test/support/redis.ts';
import { cpuMicrosOf } from '../runner/machine.ts';
import { Closers } from '../runner/closers.ts';
import { present } from '../../src/lib/assert.ts';
import { connectTo, startDatabase } from './database.ts';
import { nodeProfile, unthrottled } from './fastim.ts';
import { startArgs } from './fastim-build.ts';
import { keysIn, seedPeople, type Person } from './people.ts';
import { countAsOwn, ServerChild, type ServerCommand } from './server-child.ts';

export interface ClusterOptions {
  readonly nodes: number;
  readonly people: number;
}

/** Statements of a shard since it began, by kind. */
const statementKinds = ['Com_select', 'Com_insert', 'Com_update', 'Com_delete'];
const shardCount = 2;

/** Nodes as `npm start` runs them, on two MariaDB shards and a Redis of their own, and who is signed in there. */
export class Cluster implements AsyncDisposable {
  readonly people: readonly Person[];
  readonly #closers: Closers;
  readonly #commands: readonly ServerCommand[];
  readonly #databaseUrls: readonly string[];
  readonly #nodes: (ServerChild | undefined)[];
  readonly #cpu: readonly (() => number)[];

  constructor(of: {
    people: readonly Person[];
    closers: Closers;
    commands: readonly ServerCommand[];
    databaseUrls: readonly string[];
    cpu: readonly (() => number)[];
  }) {
    this.people = of.people;
    this.#closers = of.closers;
    this.#commands = of.commands;
    this.#databaseUrls = of.databaseUrls;
    this.#cpu = of.cpu;
    this.#nodes = of.commands.map(() => undefined);
  }

  /** Starts databases and Redis and puts people there; no node yet. */
  static async prepare({ nodes, people: count }: ClusterOptions): Promise<Cluster> {
    const closers = new Closers();
    try {
      const folder = await mkdtemp(path.join(tmpdir(), 'fastim-bench-cluster-'));
      closers.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
      const databaseUrls: string[] = [];
      const cpu: (() => number)[] = [];
      for (let shard = 0; shard < shardCount; shard += 1) {
        const database = await startDatabase();
        cpu.push(() => database.cpuMicros());
        closers.defer(() => database[Symbol.asyncDispose]());
        databaseUrls.push(await database.createDatabase());
      }
      const redis = await startRedis();
      closers.defer(() => redis.stop());
      cpu.push(() => cpuMicrosOf(redis.pid));
      closers.defer(countAsOwn(() => redis.pid));
      const kill = (): void => {
        if (redis.pid > 0) process.kill(redis.pid, 'SIGKILL');
      };
      process.once('exit', kill);
      closers.defer(() => process.off('exit', kill));
      const keysFile = path.join(folder, 'keys.json');
      const storage = { kind: 'mysql', urls: databaseUrls, joinedBy: null } as const;
      const people = await seedPeople(storage, await keysIn(keysFile), count);
      const commands: ServerCommand[] = [];
      for (let node = 1; node <= nodes; node += 1) {
        commands.push({
          name: `node-${node}`,
          port: await freePort(),
          args: [...nodeProfile(), ...startArgs()],
          env: {
            ...{ NODE_ID: `node-${node}`, DATA_DIR: folder, ACCESS_TOKEN_KEYS: keysFile },
            ...{ DATABASE_URLS: databaseUrls.join(','), REDIS_URLS: redis.url, LOG_LEVEL: 'warn' },
            ...unthrottled,
            // Who goes where is what is measured.
            GATE_SHED_PERCENT: '0',
          },
          readyPath: '/ready',
        });
      }
      return new Cluster({ people, closers, commands, databaseUrls, cpu });
    } catch (error) {
      await closers[Symbol.asyncDispose]();
      throw error;
    }
  }

  get size(): number {
    return this.#commands.length;
  }

  node(index: number): ServerChild {
    return present(this.#nodes[index], `node ${index} runs`);
  }

  async start(index: number): Promise<void> {
    this.#nodes[index] = await ServerChild.start(present(this.#commands[index], 'a command'));
  }

  async startAll(): Promise<void> {
    await Promise.all(this.#commands.map((_, index) => this.start(index)));
  }

  /** As an operator asks for it; resolves when it is gone. */
  async stop(index: number): Promise<void> {
    const node = this.#nodes[index];
    this.#nodes[index] = undefined;
    await node?.stop();
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.#commands.map((_, index) => this.stop(index)));
  }

  /** CPU of the databases and Redis, in µs. */
  storeCpuMicros(): number {
    return this.#cpu.reduce((sum, cpu) => sum + cpu(), 0);
  }

  /** Statements that both shards have executed. */
  async statements(): Promise<number> {
    const counts = await Promise.all(this.#databaseUrls.map(statementsOf));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopAll();
    await this.#closers[Symbol.asyncDispose]();
  }
}

async function statementsOf(url: string): Promise<number> {
  const connection = await connectTo(url);
  try {
    const rows = await connection.query<{ Variable_name: string; Value: string }[]>(
      'SHOW GLOBAL STATUS WHERE Variable_name IN (?)',
      [statementKinds],
    );
    return rows.reduce((sum, { Value }) => sum + Number(Value), 0);
  } finally {
    await connection.end();
  }
}
