import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { baseUrl, type Config } from './config.ts';
import type { Streams } from './doors.ts';
import { Apps, ServerKeys } from './domain/app/app.ts';
import { Conversations } from './domain/conversation/conversation.ts';
import { Messages } from './domain/message/message.ts';
import { Rates } from './domain/rate/rate.ts';
import { Sessions, type Viewer } from './domain/session/session.ts';
import { Timelines } from './domain/timeline/timeline.ts';
import { Passwords, passwordCost, Users, type PasswordCost } from './domain/user/user.ts';
import { clockOf, steadyClock, type Clock } from './lib/clock.ts';
import { failpointsOf } from './lib/failpoint.ts';
import { IdSource } from './lib/id.ts';
import { startInOrder, type Lifecycle } from './lib/lifecycle.ts';
import { createLogger, type Logger } from './lib/log.ts';
import { wireGates } from './gates.ts';
import { limits } from './limits.ts';
import { wireMoney, type Base } from './money.ts';
import { readinessOf } from './readiness.ts';
import { FanOut } from './gate/fan-out.ts';
import { Gate } from './gate/gate.ts';
import { Budgets } from './gate/budgets.ts';
import { cachedByText } from './gate/documents.ts';
import { Listener } from './gate/listener.ts';
import { GraphiqlPage } from './gate/graphiql-page.ts';
import {
  ConversationStream,
  conversationTelling,
} from './realtime/conversation/conversation-stream.ts';
import { InboxReader } from './realtime/inbox/inbox-reader.ts';
import { Inboxes, inboxTelling } from './realtime/inbox/inboxes.ts';
import { linksOf } from './realtime/nodes/links.ts';
import { Pipeline } from './realtime/pipeline.ts';
import { Pulled } from './realtime/pulled.ts';
import { ReplayReads } from './realtime/inbox/replay-reads.ts';
import { PresenceLink } from './realtime/presence/presence-link.ts';
import { Presence } from './realtime/presence/presence.ts';
import { Typing } from './realtime/presence/typing.ts';
import { createApi } from './resolvers/api.ts';
import { MemoryRates } from './storage/rates.memory.ts';
import type { RateStore } from './storage/rates.ts';
import { allowedOrigins, keyFile, ratePoints, shardsConfig } from './server-config.ts';
import { Shards } from './storage/shards.ts';

/** What a test may set. */
export interface ServerDeps {
  readonly clock?: Clock;
  readonly log?: Logger;
  readonly random?: () => number;
  readonly passwordCost?: PasswordCost;
  readonly limits?: Partial<typeof limits>;
  readonly rates?: RateStore;
  /** Only who knows its address comes: no other node sends anybody here. */
  readonly isUnlisted?: boolean;
  /** Told once when the node cannot go on, and has to be stopped. */
  readonly onLost?: (reason: Error) => void;
}

/**
 * A whole node, wired: the only place that knows all parts. Starting brings the shards up to date and ends with the
 * port open; stopping drains and lets what is under way finish, within the grace.
 */
export class FastimServer implements Lifecycle {
  readonly #config: Config;
  readonly #parts: Parts;
  readonly #state: { isStarted: boolean };
  #stop: ((graceMs: number) => Promise<void>) | undefined;

  constructor(config: Config, deps: ServerDeps = {}) {
    this.#config = config;
    this.#state = { isStarted: false };
    this.#parts = wire(config, deps, this.#state);
  }

  /** The port that it listens on. */
  get port(): number {
    return this.#parts.listener.port;
  }

  /** Where clients find it; without a slash at its end. */
  get url(): string {
    return baseUrl(this.#config.http, this.port);
  }

  /** Whether there is a GraphiQL page to look at. */
  get hasPage(): boolean {
    return this.#parts.page?.isBuilt ?? false;
  }

  /** @throws {StartupRefusal} with a message for the operator. */
  async start(): Promise<void> {
    this.#stop = await startInOrder(this.#parts.inOrder);
    this.#state.isStarted = true;
    this.#parts.log.info({ port: this.port }, 'server.started');
  }

  async stop(graceMs: number): Promise<void> {
    const stop = this.#stop;
    if (!stop) return;
    this.#stop = undefined;
    this.#state.isStarted = false;
    this.#parts.log.info({ graceMs }, 'server.stopping');
    await stop(graceMs);
    this.#parts.log.info('server.stopped');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop(0);
  }
}

interface Parts {
  readonly log: Logger;
  readonly page: GraphiqlPage | null;
  readonly listener: Listener;
  readonly inOrder: readonly Lifecycle[];
}

function wire(config: Config, given: ServerDeps, state: { readonly isStarted: boolean }): Parts {
  const base = {
    config,
    clock: given.clock ?? clockOf(config.clockFile),
    log: given.log ?? createLogger({ level: config.logLevel }),
    failpoints: failpointsOf(config.failpoints),
    limits: { ...limits, ...given.limits },
  };
  const domain = wireDomain(base, given);
  const random = given.random ?? Math.random;
  const lsb = wireGates(base, {
    ...domain,
    random,
    url: () => baseUrl(config.http, listener.port),
    gate: () => gate,
    isListed: !given.isUnlisted,
  });
  const { gate, parts, streams } = wireRealtime(base, random, domain, lsb.elsewhere);
  const root = fileURLToPath(new URL('../dist/graphiql', import.meta.url));
  const page = config.isProduction ? null : new GraphiqlPage({ root });
  const services = { doors: domain, streams, gates: lsb.gates, clock: base.clock };
  const documentLimits = { ...base.limits, allowsIntrospection: !config.isProduction };
  const api = createApi({ services, log: base.log, documentLimits });
  const { connectionsPerAddress, ...rates } = config.budgets;
  const serverKeys = new ServerKeys({
    keys: config.serverKeys,
    operatorFile: join(config.storage.dataDir, 'operator-key'),
  });
  const listener: Listener = new Listener({
    ...base,
    ...config.http,
    api: { ...api, prepare: cachedByText((text) => api.prepare(text)) },
    connectionsPerAddress,
    operationsPerSecond: rates.operationsPerSecond,
    budgets: new Budgets({ ...base, clock: steadyClock, rates }),
    gate,
    engine: new FanOut(api),
    sessions: domain.sessions,
    serverKeys,
    page,
    readiness: readinessOf({
      isServing: () => state.isStarted && !gate.isDraining,
      shards: domain.shards,
      shared: domain.links.shared,
    }),
    allowedOrigins: allowedOrigins(config),
  });
  const { shards, links, pipeline, timelines, sessions, messages, wallets, redPackets } = domain;
  return {
    log: base.log,
    page,
    listener,
    inOrder: [
      shards,
      ...links.parts,
      serverKeys,
      sessions,
      ...pipeline.parts,
      wallets,
      timelines,
      messages,
      redPackets,
      ...parts,
      ...(page ? [page] : []),
      ...lsb.parts,
      listener,
      lsb.listing,
    ],
  };
}

function wireDomain(base: Base, given: ServerDeps) {
  const { config, clock, log, failpoints, limits: bounds } = base;
  const ids = new IdSource({ clock });
  const shards = new Shards(shardsConfig(config), {
    clock,
    callsMax: bounds.sqliteQueueCallsMax,
    onLost: (reason) => {
      log.fatal({ err: reason }, 'server.shardLost');
      given.onLost?.(reason);
    },
  });
  const links = linksOf(config, { ...base, shards });
  const receiptGroupMembers = config.groups.receiptsUpToMembers;
  const pipeline = new Pipeline({ ...base, shards, links, receiptGroupMembers });
  const timelines = new Timelines({
    ...{ shards, ids, clock, failpoints },
    rules: {
      recallWindowMs: config.messages.recallWindowSeconds * 1000,
      editWindowMs: config.messages.editWindowSeconds * 1000,
      largeGroupMembers: config.groups.largeAboveMembers,
      groupMembersMax: bounds.groupMembersMax,
    },
    limits: bounds,
    onCommitted: (row) => pipeline.committed(row),
    onUnknown: (shardIndex) => pipeline.doubt(shardIndex),
  });
  const passwords = new Passwords({ cost: given.passwordCost ?? passwordCost });
  const { announcements } = pipeline;
  const apps = new Apps(config.apps);
  const users = new Users({
    ...{ shards, ids, clock, apps, passwords },
    onProfileChanged: (userId) => announcements.profileChanged(userId),
  });
  announcements.onProfileChanged((userId) => users.profileChanged(userId));
  const sessions = new Sessions({
    ...{ shards, ids, clock, log },
    keys: keyFile(config),
    policy: config.sessionPolicy,
    accessTokenTtlMs: config.tokens.accessTtlSeconds * 1000,
    refreshGraceMs: config.tokens.refreshGraceSeconds * 1000,
    onEndedHere: (end) => announcements.ended(end),
  });
  announcements.onEnded((end) => sessions.heardEnded(end));
  const conversations = new Conversations({ shards, timelines, users, limits: bounds });
  const messages = new Messages({
    ...{ shards, timelines, clock },
    onReadsCommitted: (shardIndex) => pipeline.readNotices.wake(shardIndex),
  });
  const store = given.rates ?? links.shared?.rates ?? new MemoryRates();
  const rates = new Rates({ store, apps, log, points: ratePoints(config, bounds) });
  const money = wireMoney(base, {
    ...{ shards, ids, users, conversations, timelines, pipeline },
    isAlone: links.shared === null,
  });
  const chat = { shards, links, pipeline, timelines, users, sessions, conversations, messages };
  return { ...chat, ...money, rates };
}

type Domain = ReturnType<typeof wireDomain>;

function wireRealtime(
  base: Base,
  random: () => number,
  domain: Domain,
  elsewhere: (viewer: Viewer | null) => string | null,
) {
  const { conversations, messages, pipeline, sessions, wallets } = domain;
  const { shared, brokers } = domain.links;
  const link = shared && new PresenceLink({ stays: shared.stays, brokers });
  const presence = new Presence({ ...base, conversations, sessions, link });
  const typing = new Typing({ ...base, conversations, news: pipeline.news });
  const gate = new Gate({
    ...base,
    connectionsPerAddress: base.config.budgets.connectionsPerAddress,
    sessions,
    attendance: presence,
    elsewhere,
    random,
  });
  pipeline.onMembershipEnded((id, userId) => {
    typing.membershipEnded(id, userId);
    presence.membershipEnded(id, userId);
  });
  const { followers, inboxLog, largeGroups, router } = pipeline;
  const { failpoints } = base;
  const reads = new ReplayReads({ ...base, shards: domain.shards });
  const reader = new InboxReader({ inboxLog, failpoints, reads, wallets });
  const inboxes = new Inboxes({ ...base, inboxLog, largeGroups, router, reader });
  const streams: Streams = {
    async inbox(viewer, after) {
      const stream = await inboxes.open(viewer, after);
      return new Pulled(stream, inboxTelling);
    },
    inboxHead: (viewer) => inboxes.head(viewer),
    inboxPage: (viewer, after, first) => inboxes.page(viewer, after, first),
    async conversation(viewer, id, from) {
      const deps = { conversations, messages, followers, limits: base.limits };
      const stream = new ConversationStream(viewer, id, deps);
      await stream.start(from);
      return new Pulled(stream, conversationTelling);
    },
    typing: (viewer, id) => typing.typing(viewer, id),
    setTyping: (viewer, id, isTyping) => typing.setTyping(viewer, id, isTyping),
    presence: (viewer, userIds) => presence.presence(viewer, userIds),
    isSessionOnline: (id) => presence.isSessionOnline(id),
  };
  return { gate, parts: [reads, inboxes, typing, ...(link ? [link] : []), presence], streams };
}
