import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { check, type Anomaly } from '../support/checker.ts';
import type { Reachable } from '../support/clients.ts';
import type { Call, History, Trouble } from '../support/history.ts';
import { nodeEnv, writeKeys } from '../support/nodes.ts';
import { freePort, ServerProcess } from '../support/process.ts';
import { keepHistory } from './history-file.ts';
import { conversationId, InboxClient } from './inbox-client.ts';
import { Load } from './load.ts';
import { openPlaces, type Place } from './places.ts';
import { pause, Random } from './random.ts';
import { RedisLogs } from './redis-logs.ts';
import { settledIn } from './settle-in.ts';
import { SecondDevice } from './second-device.ts';
import { Tables } from './tables.ts';
import { withUnread } from './unread.ts';

export interface WorldOptions {
  /** The server to run. */
  readonly main: string;
  readonly seed: number;
  /** None: SQLite. */
  readonly databaseUrls?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** So many nodes, joined by a Redis; the clients dial any that is not down. None: one alone. */
  readonly cluster?: {
    readonly nodes: number;
    /** Where the logs are read beside the nodes. */
    readonly redisUrl: string;
    /** What a node reads, and where it is dialled, where that is not as it is for all. */
    readonly place?: (index: number, port: number) => NodePlace;
  };
  /** In which folder; default: that for temporary files. */
  readonly keepsIn?: string;
  /** Each client has a call under way in each of its conversations at a time; default: one in all. */
  readonly hasLanes?: boolean;
  /** Between two of those, at most; default: 25. */
  readonly idleMs?: number;
  /** They talk in more pairs. */
  readonly hasMorePairs?: boolean;
  /** So many clients have a second device, whose session is ended now and then; default: none. */
  readonly secondDevices?: number;
  /** Default: a history in which something was found is kept in a file. */
  readonly keepsHistory?: boolean;
}

export interface NodePlace {
  readonly env: Readonly<Record<string, string>>;
  readonly url: string;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const reachedWithinMs = 40_000;
const settledWithinMs = 15_000;

/**
 * Twelve clients in some conversations, all with an open inbox, over a server that may be killed at any time; and what they
 * did and saw since the beginning.
 */
export class World implements AsyncDisposable {
  readonly nodes: readonly ServerProcess[];
  readonly random: Random;
  /** Nodes that nobody dials. */
  readonly down = new Set<ServerProcess>();
  readonly clients: InboxClient[] = [];
  readonly #options: WorldOptions;
  readonly #folder: string;
  readonly #tables: Tables;
  readonly #calls: Call[] = [];
  /** Messages, by who sent them where. */
  readonly #acknowledged = new Set<string>();
  readonly #loads: Load[] = [];
  readonly #devices: SecondDevice[] = [];
  readonly #troubles: Mutable<Trouble>[] = [];
  /** Where they are not in tables. */
  readonly #logs: RedisLogs | null;
  readonly #urls: ReadonlyMap<ServerProcess, string>;
  readonly #forgotAtMs: number[] = [];
  #places: readonly Place[] = [];
  #cutter: NodeJS.Timeout | undefined;

  /** `start` is the way to one. */
  constructor(options: WorldOptions, folder: string, ports: readonly number[]) {
    const { main, seed, databaseUrls = [], cluster, env } = options;
    this.#options = options;
    this.#folder = folder;
    this.random = new Random(seed);
    const settings = {
      NODE_ENV: 'test',
      DATA_DIR: folder,
      DATABASE_URLS: databaseUrls.join(','),
      ACCESS_TOKEN_TTL_SECONDS: '86400',
      LOG_LEVEL: 'warn',
    };
    const urls = new Map<ServerProcess, string>();
    this.#urls = urls;
    this.nodes = ports.map((port, index) => {
      const own = cluster ? nodeEnv(folder, [cluster.redisUrl], index) : {};
      const place = cluster?.place?.(index, port);
      const node = new ServerProcess(port, { ...settings, ...own, ...env, ...place?.env }, main);
      urls.set(node, place?.url ?? node.url);
      return node;
    });
    this.#logs = cluster ? new RedisLogs(cluster.redisUrl) : null;
    this.#tables = new Tables(
      databaseUrls.length > 0
        ? { kind: 'mysql', urls: databaseUrls }
        : { kind: 'sqlite', file: path.join(folder, 'fastim.db') },
    );
  }

  static async start(options: WorldOptions): Promise<World> {
    const folder = await mkdtemp(path.join(tmpdir(), 'fastim-kill-'));
    const ports: number[] = [];
    for (let node = 0; node < (options.cluster?.nodes ?? 1); node += 1)
      ports.push(await freePort());
    const world = new World(options, folder, ports);
    if (options.cluster) await writeKeys(folder);
    try {
      await Promise.all(world.nodes.map((node) => node.start()));
      await world.#populate();
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
    return world;
  }

  /** The first node. */
  get server(): ServerProcess {
    const [first] = this.nodes;
    if (!first) throw new Error('a world has a node');
    return first;
  }

  /** Clients begin, or go on; some of them are cut off now and then, where `cuts` does not say no. */
  run({ cuts = true } = {}): void {
    for (const load of this.#loads) load.start();
    for (const device of this.#devices) device.start();
    clearInterval(this.#cutter);
    if (!cuts) return;
    this.#cutter = setInterval(() => this.random.pick(this.clients)?.cut(), 100);
  }

  /** Ends all calls under way. */
  async hold(): Promise<void> {
    clearInterval(this.#cutter);
    await Promise.all([...this.#loads, ...this.#devices].map((one) => one.pause()));
  }

  /** One message in each conversation, while the rest is on hold. */
  async sendOneEach(): Promise<void> {
    for (const place of this.#places) {
      const load = this.#loads.find((one) => one.isIn(place));
      await load?.send(place);
    }
  }

  /** One life, at the end of which the process kills itself at that place. */
  async dieAt(failpoints: string): Promise<void> {
    this.server.launch({ FAILPOINTS: failpoints });
    const gone = this.server.gone();
    const end = await Promise.race([gone, pause(reachedWithinMs).then(() => null)]);
    if (end?.signal === 'SIGKILL') return;
    await this.server.kill9();
    const what = `${JSON.stringify(end)}, ${this.acknowledged} acknowledged`;
    throw new Error(`did not die at ${failpoints}: ${what}\n${this.server.output}`);
  }

  /** Ends all calls and waits until everything that was committed has been told. The server has to be there. */
  async settle(withinMs = settledWithinMs): Promise<readonly string[]> {
    await this.hold();
    const deadline = Date.now() + withinMs;
    for (;;) {
      const late = await this.#late().catch((error: unknown) => [
        `not to be seen: ${String(error)}`,
      ]);
      if (late.length === 0 || Date.now() > deadline) return late;
      await pause(100);
    }
  }

  /** What the checker finds, after `settle`. Where it finds anything, the history is kept and its file named. */
  async check(): Promise<readonly Anomaly[]> {
    let history = await this.#history();
    let anomalies = check(history);
    // What was told last of a red packet may have come after `settle`: it is under way, and not left.
    const isUnderWay = ({ name }: Anomaly): boolean => name === 'outbox-left';
    if (anomalies.length > 0 && anomalies.every(isUnderWay)) {
      await this.settle();
      history = await this.#history();
      anomalies = check(history);
    }
    const isKept = this.#options.keepsHistory ?? true;
    if (anomalies.length > 0 && isKept) {
      const { seed, keepsIn = tmpdir() } = this.#options;
      const file = path.join(keepsIn, `fastim-history-${seed}-${Date.now()}.json`);
      await keepHistory(file, { seed, anomalies, log: this.server.output, ...history });
      console.error(`seed ${seed}: ${anomalies.length} anomalies, the history is in ${file}`);
    }
    return anomalies;
  }

  /** The inbox logs are lost from now on: each view may be reset once for it. */
  noteForgotten(): void {
    this.#forgotAtMs.push(Date.now());
  }

  /** Something is wrong from now on, until what is returned is called: the end of a session may be heard of late. */
  noteTrouble(): () => void {
    const trouble = { fromMs: Date.now(), toMs: Infinity };
    this.#troubles.push(trouble);
    return () => {
      trouble.toMs = Date.now();
    };
  }

  /** Whoever hears stood still since then, and hears of late what was said in time. */
  noteStandstill(fromMs: number): void {
    this.#troubles.push({ fromMs, toMs: Date.now() });
  }

  /** How many things are wrong at this moment. */
  get troublesNow(): number {
    return this.#troubles.filter(({ toMs }) => toMs === Infinity).length;
  }

  /** Sessions that were ended while their inbox was open. */
  get endedSessions(): number {
    return this.#devices.reduce((sum, { ended }) => sum + ended.length, 0);
  }

  /** Where the nodes keep what is not in the databases. */
  get folder(): string {
    return this.#folder;
  }

  /** Messages that were acknowledged, each once. */
  get acknowledged(): number {
    return this.#acknowledged.size;
  }

  /** What the server answered to a subscription that no client should meet. */
  get errors(): string[] {
    const intrusions = this.#devices.flatMap((device) => device.intrusions);
    return [...this.clients.flatMap(({ errors }) => errors), ...intrusions];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#cutter);
    // Without a server no call ends well, and each is repeated: so it goes last.
    const paused = Promise.all(this.#loads.map((load) => load.pause())).catch(() => undefined);
    await Promise.race([paused, pause(2_000)]);
    await Promise.all([...this.clients, ...this.#devices].map((one) => one.stop()));
    await Promise.all(this.nodes.map((node) => node.kill9()));
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Whoever asks where it is gets another answer each time. */
  get anyNode(): Reachable {
    const random = this.random.fork();
    const { nodes, down } = this;
    const urls = this.#urls;
    return {
      get url() {
        const up = nodes.filter((node) => !down.has(node));
        const node = random.pick(up) ?? nodes[0];
        return (node && urls.get(node)) ?? '';
      },
    };
  }

  async #populate(): Promise<void> {
    const names = Array.from({ length: 12 }, (_, index) => `client_${index}`);
    const users = await Promise.all(names.map((name) => settledIn(this.anyNode, name)));
    this.clients.push(...users.map((user) => new InboxClient(user, this.random.fork())));
    for (const client of this.clients) client.start();
    const deadline = Date.now() + 30_000;
    while (this.clients.some(({ position }) => position < 0)) {
      if (Date.now() > deadline) throw new Error(`no inbox: ${this.errors.join()}`);
      await pause(20);
    }
    const { hasLanes = false, hasMorePairs = false, idleMs } = this.#options;
    this.#places = await openPlaces(this.clients, { hasMorePairs });
    for (const client of this.clients) {
      this.#loads.push(
        new Load(client, {
          places: this.#places,
          random: this.random.fork(),
          hasLanes,
          ...(idleMs !== undefined && { idleMs }),
          note: (call) => this.#note(call),
        }),
      );
    }
    this.#addDevices();
  }

  #addDevices(): void {
    for (const client of this.clients.slice(0, this.#options.secondDevices ?? 0)) {
      const nodes = (): readonly Reachable[] =>
        this.nodes.map((node) => ({ url: this.#urls.get(node) ?? node.url }));
      const deps = { random: this.random.fork(), server: this.anyNode, nodes };
      this.#devices.push(new SecondDevice(client, deps));
    }
  }

  #note(call: Call): void {
    this.#calls.push(call);
    if (call.kind !== 'send' || call.result !== 'ok') return;
    this.#acknowledged.add(`${call.conversation} ${call.user} ${call.key}`);
  }

  /** What is still on its way. */
  async #late(): Promise<string[]> {
    const { outbox, reads } = await this.#tables.left();
    const heads = await (this.#logs?.heads(this.#userIds) ?? this.#tables.heads());
    const late = this.clients
      .filter(({ userId, position }) => heads.get(String(userId)) !== position)
      .map(({ userId, position }) => `${userId} at ${position} of ${heads.get(String(userId))}`);
    for (const { userId, isWhole, end } of this.clients) {
      if (!isWhole) late.push(`${userId} asks afresh`);
      if (end !== null) late.push(`${userId} was signed out with ${end}`);
    }
    for (const device of this.#devices) late.push(...(await device.late()));
    if (outbox > 0) late.push(`${outbox} outbox rows`);
    if (reads > 0) late.push(`${reads} untold reads`);
    return late;
  }

  get #userIds(): bigint[] {
    return this.clients.map(({ userId }) => userId);
  }

  async #history(): Promise<History> {
    const tables = await this.#tables.store();
    const logs = (await this.#logs?.logs(this.#userIds)) ?? tables.logs;
    const ours = new Set(this.#places.map(({ id }) => conversationId(id)));
    const conversations = tables.conversations.filter(({ id }) => ours.has(id));
    const store = await withUnread({ ...tables, conversations, logs }, this.clients);
    const views = this.clients.map(({ userId, events }) => ({ user: String(userId), events }));
    return {
      calls: this.#calls,
      views,
      store,
      forgotAtMs: this.#forgotAtMs,
      ended: this.#devices.flatMap(({ ended }) => ended),
      troubles: this.#troubles,
    };
  }
}
