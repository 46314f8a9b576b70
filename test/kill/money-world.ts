import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { nodeEnv, writeKeys } from '../support/nodes.ts';
import { freePort, ServerProcess } from '../support/process.ts';
import { MoneyCrowd } from './money-crowd.ts';
import { pause, type Random } from './random.ts';

const reachedWithinMs = 60_000;

/** A crowd that gives money away, over nodes that may be killed at any time. */
export class MoneyWorld implements AsyncDisposable {
  readonly nodes: readonly ServerProcess[];
  /** Nobody asks these. */
  readonly down = new Set<ServerProcess>();
  readonly crowd: MoneyCrowd;
  readonly #folder: string;

  constructor(nodes: readonly ServerProcess[], folder: string, random: Random) {
    this.nodes = nodes;
    this.#folder = folder;
    const somewhere = () =>
      random.pick(nodes.filter((node) => !this.down.has(node))) ?? this.server;
    this.crowd = new MoneyCrowd({
      server: {
        get url() {
          return somewhere().url;
        },
      },
      isGone: () => nodes.every(({ pid }) => pid === undefined),
      folder,
      random,
    });
  }

  static async start(options: {
    readonly main: string;
    readonly random: Random;
    readonly databaseUrls?: readonly string[];
    /** Several nodes, of which clients ask now this one, now that. */
    readonly cluster?: { readonly nodes: number; readonly redisUrl: string };
    readonly env?: Readonly<Record<string, string>>;
  }): Promise<MoneyWorld> {
    const folder = await mkdtemp(path.join(tmpdir(), 'fastim-money-'));
    const { main, random, databaseUrls = [], cluster, env } = options;
    if (cluster) await writeKeys(folder);
    const settings = {
      NODE_ENV: 'test',
      DATA_DIR: folder,
      DATABASE_URLS: databaseUrls.join(','),
      ACCESS_TOKEN_TTL_SECONDS: '86400',
      OPERATIONS_PER_SECOND: '0',
      COST_PER_MINUTE: '0',
      RED_PACKET_TTL_SECONDS: '3',
      LOG_LEVEL: 'error',
    };
    const nodes: ServerProcess[] = [];
    for (let index = 0; index < (cluster?.nodes ?? 1); index += 1) {
      const own = cluster ? nodeEnv(folder, [cluster.redisUrl], index) : {};
      nodes.push(new ServerProcess(await freePort(), { ...settings, ...own, ...env }, main));
    }
    const world = new MoneyWorld(nodes, folder, random);
    await Promise.all(nodes.map((node) => node.start()));
    await world.crowd.start();
    return world;
  }

  /** The first node. */
  get server(): ServerProcess {
    const [first] = this.nodes;
    if (!first) throw new Error('a world has a node');
    return first;
  }

  /** One life, at the end of which the process kills itself at that place. */
  async dieAt(failpoints: string, node = this.server): Promise<void> {
    node.launch({ FAILPOINTS: failpoints });
    const end = await Promise.race([node.gone(), pause(reachedWithinMs).then(() => null)]);
    if (end?.signal === 'SIGKILL') return;
    await node.kill9();
    throw new Error(`did not die at ${failpoints}: ${JSON.stringify(end)}\n${node.output}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.race([this.crowd.pause().catch(() => undefined), pause(2_000)]);
    await Promise.all(this.nodes.map((node) => node.kill9()));
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
