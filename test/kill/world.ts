import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ConversationListDocument, CreateGroupDocument } from '../../client/generated/documents.ts';
import { check, type Anomaly } from '../support/checker.ts';
import { signUp, type Reachable, type TestUser } from '../support/clients.ts';
import type { Call, History, Store } from '../support/history.ts';
import { nodeEnv, writeKeys } from '../support/nodes.ts';
import { freePort, ServerProcess } from '../support/process.ts';
import { conversationId, InboxClient } from './inbox-client.ts';
import { Load, type Place } from './load.ts';
import { pause, Random } from './random.ts';
import { RedisLogs } from './redis-logs.ts';
import { Tables } from './tables.ts';

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
  /** Default: a history in which something was found is kept in a file. */
  readonly keepsHistory?: boolean;
}

export interface NodePlace {
  readonly env: Readonly<Record<string, string>>;
  readonly url: string;
}

const reachedWithinMs = 40_000;
const settledWithinMs = 15_000;

/**
 * Twelve clients in six conversations, all with an open inbox, over a server that may be killed at any time; and what they
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
  readonly #loads: Load[] = [];
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
    clearInterval(this.#cutter);
    if (!cuts) return;
    this.#cutter = setInterval(() => this.random.pick(this.clients)?.cut(), 100);
  }

  /** Ends all calls under way. */
  async hold(): Promise<void> {
    clearInterval(this.#cutter);
    await Promise.all(this.#loads.map((load) => load.pause()));
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
    const history = await this.#history();
    const anomalies = check(history);
    const isKept = this.#options.keepsHistory ?? true;
    if (anomalies.length > 0 && isKept) await this.#keep(history, anomalies);
    return anomalies;
  }

  /** The inbox logs are lost from now on: each view may be reset once for it. */
  noteForgotten(): void {
    this.#forgotAtMs.push(Date.now());
  }

  /** Where the nodes keep what is not in the databases. */
  get folder(): string {
    return this.#folder;
  }

  /** Messages that were acknowledged, each once. */
  get acknowledged(): number {
    const names = this.#calls.flatMap((call) =>
      call.kind === 'send' && call.result === 'ok'
        ? [`${call.conversation} ${call.user} ${call.key}`]
        : [],
    );
    return new Set(names).size;
  }

  /** What the server answered to a subscription that no client should meet. */
  get errors(): string[] {
    return this.clients.flatMap(({ errors }) => errors);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#cutter);
    // Without a server no call ends well, and each is repeated: so it goes last.
    const paused = Promise.all(this.#loads.map((load) => load.pause())).catch(() => undefined);
    await Promise.race([paused, pause(2_000)]);
    await Promise.all(this.clients.map((client) => client.stop()));
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
    const users = await Promise.all(names.map((name) => signUp(this.anyNode, name)));
    this.clients.push(...users.map((user) => new InboxClient(user, this.random.fork())));
    for (const client of this.clients) client.start();
    const deadline = Date.now() + 10_000;
    while (this.clients.some(({ position }) => position < 0)) {
      if (Date.now() > deadline) throw new Error(`no inbox: ${this.errors.join()}`);
      await pause(20);
    }
    this.#places = [
      await this.#group(0, 12, 2),
      await this.#group(2, 7, 2),
      await this.#group(7, 5, 1),
      await this.#direct(0, 1),
      await this.#direct(3, 8),
      await this.#direct(5, 11),
    ];
    for (const client of this.clients) {
      const deps = { places: this.#places, random: this.random.fork(), calls: this.#calls };
      this.#loads.push(new Load(client, deps));
    }
  }

  /** So many clients from one on, who owns it; the last ones are guests. */
  async #group(first: number, count: number, guests: number): Promise<Place> {
    const [owner, ...others] = this.clients.slice(first, first + count);
    if (!owner) throw new Error('no owner');
    const { createGroup } = await owner.user.query(CreateGroupDocument, {
      input: {
        clientRequestId: `group-${first}`,
        title: `Group ${first}`,
        memberIds: others.map(({ user }) => user.id),
      },
    });
    const members = new Set([owner, ...others]);
    return { id: createGroup.conversation.id, owner, guests: others.slice(-guests), members };
  }

  async #direct(one: number, other: number): Promise<Place> {
    const [opener, peer] = [this.clients[one], this.clients[other]];
    if (!opener || !peer) throw new Error('no pair');
    const id = await opener.user.directWith(peer.user);
    return { id, owner: null, guests: [], members: new Set([opener, peer]) };
  }

  /** What is still on its way. */
  async #late(): Promise<string[]> {
    const { outbox, reads } = await this.#tables.left();
    const heads = await (this.#logs?.heads(this.#userIds) ?? this.#tables.heads());
    const late = this.clients
      .filter(({ userId, position }) => heads.get(String(userId)) !== position)
      .map(({ userId, position }) => `${userId} at ${position} of ${heads.get(String(userId))}`);
    for (const { userId, isWhole } of this.clients) {
      if (!isWhole) late.push(`${userId} asks afresh`);
    }
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
    const store = withUnread({ ...tables, conversations, logs }, await this.#unread());
    const views = this.clients.map(({ userId, events }) => ({ user: String(userId), events }));
    return { calls: this.#calls, views, store, forgotAtMs: this.#forgotAtMs };
  }

  /** What the API answers: of each user and conversation the unread messages. */
  async #unread(): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for (const { user, userId } of this.clients) {
      for (const [conversation, count] of await unreadOf(user)) {
        counts.set(`${userId} ${conversation}`, count);
      }
    }
    return counts;
  }

  async #keep(history: History, anomalies: readonly Anomaly[]): Promise<void> {
    const { seed } = this.#options;
    const file = path.join(
      this.#options.keepsIn ?? tmpdir(),
      `fastim-history-${seed}-${Date.now()}.json`,
    );
    const log = this.server.output;
    await writeFile(file, JSON.stringify({ seed, anomalies, ...history, log }, null, 1));
    console.error(`seed ${seed}: ${anomalies.length} anomalies, the history is in ${file}`);
  }
}

async function unreadOf(user: TestUser): Promise<[conversation: string, count: number][]> {
  const { viewer } = await user.query(ConversationListDocument, { first: 50 });
  const counts = viewer.conversations.edges.map(({ node }): [string, number] => [
    conversationId(node.id),
    node.me.unreadCount ?? 0,
  ]);
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  if (total !== viewer.unreadCount) {
    throw new Error(
      `${user.username}: ${viewer.unreadCount} unread in all, by conversation ${total}`,
    );
  }
  return counts;
}

function withUnread(store: Store, counts: ReadonlyMap<string, number>): Store {
  const conversations = store.conversations.map((conversation) => ({
    ...conversation,
    members: conversation.members.map((member) => ({
      ...member,
      unreadCount: counts.get(`${member.user} ${conversation.id}`) ?? null,
    })),
  }));
  return { ...store, conversations };
}
