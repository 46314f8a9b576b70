import { Apps } from '../../src/domain/app/app.ts';
import {
  exchangesPerReport,
  Lsb,
  MemoryGateBook,
  type GateReport,
} from '../../src/domain/lsb/lsb.ts';
import { noRules } from '../../src/domain/lsb/rules.ts';
import { createLogger } from '../../src/lib/log.ts';
import { limits } from '../../src/limits.ts';
import { Random } from '../kill/random.ts';

/** A gate with its clients, and the LSB of its node: the real one, and the real choice. */
interface SimGate {
  readonly id: string;
  readonly lsb: Lsb;
  /** Those who have been here longest first. */
  readonly clients: Set<number>;
  isUp: boolean;
  /** Since when its exchange comes at this part of the turn: nodes are not in step. */
  readonly phaseMs: number;
  /** How many came since it was last set to 0. */
  arrived: number;
}

interface Dial {
  readonly client: number;
  /** Those to try, in order. */
  readonly gates: readonly string[];
}

const tickMs = 50;
const exchangeMs = limits.gateReportMs / exchangesPerReport;
const log = createLogger({ level: 'silent' });

/**
 * Gates and clients on fake time, in one process: clients ask the LSB of any node that is up, dial what it says some ms later, and
 * the alternates where that fails.
 */
export class GateWorld {
  readonly gates: readonly SimGate[];
  readonly random: Random;
  nowMs = 1_000_000;
  /** How many dials met no gate. */
  failures = 0;
  readonly #book: MemoryGateBook;
  readonly #due = new Map<number, (() => void | Promise<void>)[]>();
  #nextClient = 0;

  constructor(count: number, seed: number) {
    this.random = new Random(seed);
    this.#book = new MemoryGateBook({ clock: this.#clock, limits });
    this.gates = Array.from({ length: count }, (_, index) => this.#gate(`gate-${index}`));
  }

  /** All gates up and told of, with so many clients each. */
  async start(clientsPerGate: number): Promise<void> {
    for (const gate of this.gates) {
      for (let i = 0; i < clientsPerGate; i += 1) gate.clients.add((this.#nextClient += 1));
      await gate.lsb.listing.start();
    }
    await this.run(limits.gateReportMs);
  }

  get loads(): number[] {
    return this.gates.map(({ clients }) => clients.size);
  }

  /** By how much the fullest is above the emptiest. */
  get spread(): number {
    return Math.max(...this.loads) / Math.min(...this.loads) - 1;
  }

  at(index: number): SimGate {
    const gate = this.gates[index];
    if (!gate) throw new Error(`no gate ${index}`);
    return gate;
  }

  /** As kill -9 does it: nobody is told. @returns who was there. */
  kill(gate: SimGate): number[] {
    gate.isUp = false;
    const clients = [...gate.clients];
    gate.clients.clear();
    return clients;
  }

  /** Comes back empty. */
  async revive(gate: SimGate): Promise<void> {
    gate.isUp = true;
    await gate.lsb.exchange();
  }

  /** All connections break. @returns whose. */
  breakAll(): number[] {
    return this.gates.flatMap((gate) => {
      const clients = [...gate.clients];
      gate.clients.clear();
      return clients;
    });
  }

  /** They ask for a gate and dial it, each some time within so many ms from now. */
  comeBack(clients: readonly number[], withinMs: number): void {
    for (const client of clients) {
      this.#at(this.random.between(0, withinMs), () => this.#ask(client));
    }
  }

  async run(ms: number): Promise<void> {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; this.nowMs += tickMs) {
      for (const gate of this.gates) {
        if (!gate.isUp || (this.nowMs + gate.phaseMs) % exchangeMs >= tickMs) continue;
        await gate.lsb.exchange();
      }
      const due = this.#due.get(this.nowMs) ?? [];
      this.#due.delete(this.nowMs);
      for (const act of due) await act();
    }
  }

  get #clock() {
    return { now: () => this.nowMs };
  }

  #gate(id: string): SimGate {
    const random = this.random.fork();
    const clients = new Set<number>();
    const lsb: Lsb = new Lsb({
      book: this.#book,
      rules: { held: { rules: noRules, revision: 0, changedAtMs: null } },
      apps: new Apps(['default']),
      own: () => ({
        ...ownReport,
        id,
        life: id,
        httpUrl: `http://${id}/graphql`,
        connections: clients.size,
      }),
      isReady: () => Promise.resolve(true),
      onExcess: (count) => this.#handOn(gate, count),
      shedPercentPerMinute: 20,
      clock: this.#clock,
      random: () => random.next(),
      log,
      limits,
    });
    const phaseMs = this.random.between(0, 9) * tickMs;
    const gate: SimGate = { id, lsb, clients, isUp: true, phaseMs, arrived: 0 };
    return gate;
  }

  /** As Gate.handOn does it. */
  #handOn(gate: SimGate, count: number): void {
    for (const client of [...gate.clients].slice(0, count)) {
      const url = gate.lsb.elsewhere('default');
      if (url === null) return;
      gate.clients.delete(client);
      const jitterMs = this.random.between(0, limits.drainSliceMs);
      this.#at(jitterMs, () => this.#dial({ client, gates: [nameOf(url)] }));
    }
  }

  async #ask(client: number): Promise<void> {
    const node = this.random.pick(this.gates.filter(({ isUp }) => isUp));
    if (!node) throw new Error('no node is up');
    const { url, alternates } = await node.lsb.ticket({
      appId: 'default',
      clientVersion: null,
      deviceId: null,
    });
    const gates = [url, ...alternates].map(nameOf);
    // Name look-up, TCP, TLS, upgrade.
    this.#at(this.random.between(50, 500), () => this.#dial({ client, gates }));
  }

  #dial({ client, gates: [first, ...rest] }: Dial): void {
    const gate = this.gates.find(({ id }) => id === first);
    if (gate?.isUp) {
      gate.clients.add(client);
      gate.arrived += 1;
      return;
    }
    this.failures += 1;
    if (rest.length > 0) this.#at(100, () => this.#dial({ client, gates: rest }));
    else this.#at(1_000, () => this.#ask(client));
  }

  #at(inMs: number, act: () => void | Promise<void>): void {
    const atMs = this.nowMs + Math.max(1, Math.ceil(inMs / tickMs)) * tickMs;
    const due = this.#due.get(atMs) ?? [];
    due.push(act);
    this.#due.set(atMs, due);
  }
}

const ownReport: Omit<GateReport, 'id' | 'life' | 'httpUrl' | 'connections' | 'state'> = {
  apps: ['default'],
  track: 'stable',
  weight: 1,
};

function nameOf(url: string): string {
  return new URL(url).hostname;
}
