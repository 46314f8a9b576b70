import type { Clock } from '../../lib/clock.ts';
import { Fault } from '../../lib/fault.ts';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import type { Logger } from '../../lib/log.ts';
import { checkText } from '../../lib/text.ts';
import type { Apps } from '../app/app.ts';
import type { BookTimes, GateBook } from './book.ts';
import { bestOf, chooseGate, inOrderOfChoice } from './choice.ts';
import { loadOf, socketUrl, type GateAsk, type GateReport, type KnownGate } from './model.ts';
import type { GateRuleBook } from './rule-book.ts';
import { trackFor } from './rules.ts';
import { meanLoad, Shedding } from './shedding.ts';

export type { GateBook } from './book.ts';
export { MemoryGateBook } from './book.memory.ts';
export { RedisGateBook } from './book.redis.ts';
export type { GateAsk, GateReport, GateState, KnownGate } from './model.ts';
export { socketUrl } from './model.ts';
export { GateRuleBook, type HeldRules } from './rule-book.ts';
export type { GateRules } from './rules.ts';

/** Where a client should connect. */
export interface GateTicket {
  /** `ws://` or `wss://` URL of the gate's GraphQL endpoint. */
  readonly url: string;
  /** `http://` or `https://` URL of the same. */
  readonly httpUrl: string;
  readonly gateId: string;
  readonly expiresAtMs: number;
  /** WebSocket URLs of other gates, best first. */
  readonly alternates: readonly string[];
}

export interface LsbDeps {
  readonly book: GateBook;
  readonly rules: Pick<GateRuleBook, 'held'>;
  readonly apps: Apps;
  /** This node's own gate, as it is now. */
  readonly own: () => Omit<GateReport, 'state'>;
  /** Whether it can do its work. Never rejects. */
  readonly isReady: () => Promise<boolean>;
  /** Told how many of its connections the own gate should hand on to others. */
  readonly onExcess: (connections: number) => void;
  /** How much of its connections it hands on at most in a minute; 0: none. */
  readonly shedPercentPerMinute: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly limits: BookTimes & {
    readonly gateReportMs: number;
    readonly deviceCharsMax: number;
  };
}

/** How long a client may keep a ticket before it asks again. */
const ticketTtlMs = 60_000;
/** Other gates that a ticket names. */
const alternatesMax = 4;
/** A client's version, in code points. */
const versionCharsMax = 64;

/** Nodes tell each other where they sent clients, and hear of all gates, so often in the time of a report. */
export const exchangesPerReport = 4;

const retryAfterMs = 1_000;

/**
 * The load-balancing service: tells clients which gate to dial. Each node has one and chooses by itself, from what all gates
 * report and where all nodes have sent clients since; what it does not know yet is a quarter of `gateReportMs` old at most. Without an answer
 * from the others for `gateLeaseMs` it knows its own gate alone.
 */
export class Lsb implements Lifecycle {
  readonly #deps: LsbDeps;
  readonly #shedding: Shedding;
  #gates: ReadonlyMap<string, KnownGate> = new Map();
  #heardAtMs = -Infinity;
  #reportedAtMs = -Infinity;
  #reportedState = '';
  /** By gate: where clients were sent since that was last told, and what of it is being told. */
  #given = new Map<string, number>();
  #telling: ReadonlyMap<string, number> = new Map();
  #exchanging: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #phase: 'UNLISTED' | 'LISTED' | 'LEAVING' = 'UNLISTED';
  #isReady = true;
  #isFailing = false;
  #hasNamesake = false;

  constructor(deps: LsbDeps) {
    this.#deps = deps;
    const { limits, random, shedPercentPerMinute } = deps;
    const pace = { percentPerMinute: shedPercentPerMinute, everyMs: limits.gateReportMs };
    this.#shedding = new Shedding(pace, random);
  }

  /** Knows of the others when it resolves, where they can be heard of. */
  async start(): Promise<void> {
    this.#timer = setInterval(() => void this.exchange(), this.#exchangeMs);
    await this.exchange();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#exchanging;
    if (this.#phase === 'UNLISTED') return;
    // Who cannot be told of it finds out when the lease ends.
    await this.#deps.book.forget(this.#own().id).catch(() => undefined);
  }

  /**
   * The own gate, as one that others may send clients to: from its start on, until it begins to stop. Then all are told at
   * once, and after it has stopped they forget it.
   */
  readonly listing: Lifecycle = {
    start: () => this.#enter('LISTED'),
    stop: () => this.#enter('LEAVING'),
  };

  /**
   * The gate to dial: the less loaded of two that take connections, serve the app and are of the track that the rules send this
   * client to; where that track has none, of the stable one. It counts as given.
   * @throws {Fault} NOT_FOUND for an app that nobody serves, INVALID_ARGUMENT, UNAVAILABLE while no gate is there to dial.
   */
  async ticket(ask: GateAsk): Promise<GateTicket> {
    const { apps, clock, random, rules } = this.#deps;
    this.#check(ask);
    apps.enter(ask.appId);
    const serving = this.#known().filter((gate) => gate.apps.includes(ask.appId));
    const gates = bestOf(serving, trackFor(rules.held.rules, ask));
    const gate = chooseGate(gates, random);
    if (!gate) throw new Fault('UNAVAILABLE', 'No gate takes connections now', { retryAfterMs });
    this.#give(gate.id);
    const others = gates.filter(({ httpUrl }) => httpUrl !== gate.httpUrl);
    return {
      url: socketUrl(gate.httpUrl),
      httpUrl: gate.httpUrl,
      gateId: gate.id,
      expiresAtMs: clock.now() + ticketTtlMs,
      alternates: inOrderOfChoice(others, random, alternatesMax).map((other) =>
        socketUrl(other.httpUrl),
      ),
    };
  }

  /**
   * Where a client of the own gate may go on: another gate of the same track. While the own one is open, one that has less
   * than the mean; while it drains, in need one that was not ready a moment ago, rather than none. It counts as given.
   * @param appId null: not known.
   * @returns its WebSocket URL; null where none is known.
   */
  elsewhere(appId: string | null): string | null {
    const own = this.#own();
    if (!this.#isHeard) return null;
    const open = this.#peersOf(own, appId, 'OPEN');
    const mean = own.state === 'OPEN' ? meanLoad([this.#withTickets(own), ...open]) : Infinity;
    const isInNeed = own.state === 'DRAINING' && open.length === 0;
    const peers = isInNeed ? this.#peersOf(own, appId, 'NOT_READY') : open;
    const lessLoaded = peers.filter((peer) => loadOf(peer) < mean);
    const gate = chooseGate(lessLoaded, this.#deps.random);
    if (!gate) return null;
    this.#give(gate.id);
    return socketUrl(gate.httpUrl);
  }

  /** What it knows of all gates, the own one as it is now; for operators. */
  get gates(): readonly KnownGate[] {
    return this.#known();
  }

  /** Tells the others what is new, and hears what they say. Never rejects; one at a time. */
  exchange(): Promise<void> {
    this.#exchanging ??= this.#exchange().finally(() => {
      this.#exchanging = null;
    });
    return this.#exchanging;
  }

  async #enter(phase: 'LISTED' | 'LEAVING'): Promise<void> {
    this.#phase = phase;
    await this.#exchanging;
    await this.exchange();
  }

  async #exchange(): Promise<void> {
    const { book, clock, log, onExcess } = this.#deps;
    const report = await this.#dueReport();
    this.#telling = this.#given;
    this.#given = new Map();
    try {
      const gates = await book.exchange({ report, tickets: this.#telling });
      this.#gates = new Map(gates.map((gate) => [gate.id, gate]));
      this.#heardAtMs = clock.now();
      this.#isFailing = false;
      this.#telling = new Map();
      this.#lookForNamesake();
      if (!report) return;
      this.#reportedAtMs = clock.now();
      this.#reportedState = report.state;
      if (report.state === 'OPEN') onExcess(this.#excessOf(report));
    } catch (err) {
      if (!this.#isFailing) log.warn({ err }, 'lsb.unheard');
      this.#isFailing = true;
      const untold = this.#isHeard ? this.#telling : new Map<string, number>();
      this.#telling = new Map();
      for (const [id, count] of untold) this.#give(id, count);
    }
  }

  /** What stands under the own name is what was said last: where that was another, each hides the other one from clients. */
  #lookForNamesake(): void {
    if (this.#phase !== 'LISTED' || this.#reportedState === '') return;
    const own = this.#own();
    const hasNamesake = (this.#gates.get(own.id)?.life ?? own.life) !== own.life;
    if (hasNamesake && !this.#hasNamesake) {
      this.#deps.log.error({ gate: own.id }, 'lsb.name_taken');
    }
    this.#hasNamesake ||= hasNamesake;
  }

  /** Null: there is nothing to report yet. */
  async #dueReport(): Promise<GateReport | null> {
    if (this.#phase === 'UNLISTED') return null;
    const { clock, isReady, limits } = this.#deps;
    const sinceMs = clock.now() - this.#reportedAtMs;
    // Half a turn less, since timers are late; and a clock that was set back says nothing of how long ago it was.
    const isDue = sinceMs < 0 || sinceMs >= limits.gateReportMs - this.#exchangeMs / 2;
    if (isDue) this.#isReady = await isReady();
    const own = this.#own();
    return isDue || own.state !== this.#reportedState ? own : null;
  }

  get #exchangeMs(): number {
    return this.#deps.limits.gateReportMs / exchangesPerReport;
  }

  get #isHeard(): boolean {
    const agoMs = this.#deps.clock.now() - this.#heardAtMs;
    return agoMs >= 0 && agoMs < this.#deps.limits.gateLeaseMs;
  }

  #own(): GateReport {
    const ready = this.#isReady ? 'OPEN' : 'NOT_READY';
    return { ...this.#deps.own(), state: this.#phase === 'LEAVING' ? 'DRAINING' : ready };
  }

  /** All gates, with the tickets that the others cannot know of yet. */
  #known(): readonly KnownGate[] {
    const own = this.#own();
    const others = this.#isHeard ? [...this.#gates.values()] : [];
    return [own, ...others.filter(({ id }) => id !== own.id)].map((gate) =>
      this.#withTickets(gate),
    );
  }

  #withTickets(gate: GateReport): KnownGate {
    const told = this.#gates.get(gate.id)?.tickets ?? 0;
    const untold = (this.#given.get(gate.id) ?? 0) + (this.#telling.get(gate.id) ?? 0);
    return { ...gate, tickets: told + untold };
  }

  /** Other gates that take whom the own one has, in that state. */
  #peersOf(
    own: GateReport,
    appId: string | null,
    state: 'OPEN' | 'NOT_READY',
  ): readonly KnownGate[] {
    const apps = appId === null ? own.apps : [appId];
    return this.#known().filter(
      (gate) =>
        gate.id !== own.id &&
        gate.httpUrl !== own.httpUrl &&
        gate.state === state &&
        gate.track === own.track &&
        apps.every((app) => gate.apps.includes(app)),
    );
  }

  #excessOf(own: GateReport): number {
    const alike = this.#peersOf(own, null, 'OPEN').filter(
      ({ apps }) => apps.length === own.apps.length,
    );
    return this.#shedding.next(this.#withTickets(own), alike);
  }

  #give(gateId: string, count = 1): void {
    this.#given.set(gateId, (this.#given.get(gateId) ?? 0) + count);
  }

  #check({ clientVersion, deviceId }: GateAsk): void {
    const { deviceCharsMax } = this.#deps.limits;
    if (clientVersion !== null) {
      checkText('clientVersion', clientVersion, { min: 0, max: versionCharsMax });
    }
    if (deviceId !== null) checkText('deviceId', deviceId, { min: 1, max: deviceCharsMax });
  }
}
