import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pause, Random } from '../kill/random.ts';
import { ChaosCluster } from './chaos-cluster.ts';
import { faults } from './faults.ts';

export interface ChaosOptions {
  /** The server to run. */
  readonly main: string;
  readonly seed: number;
  /** When it may end: once all of these are reached, or the time is over. */
  readonly until: {
    readonly acknowledged: number;
    readonly faults: number;
    readonly claims: number;
    readonly withinMs: number;
  };
  readonly say: (line: string) => void;
}

export interface ChaosReport {
  readonly acknowledged: number;
  readonly faults: number;
  readonly kinds: number;
  readonly claims: number;
  readonly granted: number;
  readonly audits: number;
}

interface Happened {
  readonly kind: string;
  readonly atMs: number;
  readonly tookMs: number;
  readonly hit: string;
}

const settledWithinMs = 60_000;
/** Of two faults so many come at the same time. */
const pairsShare = 0.15;

/**
 * Lets everything go wrong that can, in an order that the seed gives, while clients chat and give money away; now and then all
 * is well for a while, and then every promise must hold.
 * @throws where one is broken: what happened is in a folder, which the error names.
 */
export async function runChaos({ main, seed, until, say }: ChaosOptions): Promise<ChaosReport> {
  const keepsIn = await mkdtemp(path.join(tmpdir(), `fastim-chaos-${seed}-`));
  const happened: Happened[] = [];
  const cluster = await ChaosCluster.start({ main, seed, keepsIn });
  try {
    const nemesis = new Nemesis(cluster, new Random(seed ^ 0x5eed), happened, say);
    const report = await nemesis.run(until);
    await rm(keepsIn, { recursive: true, force: true });
    return report;
  } catch (error) {
    const facts = { seed, error: String(error), happened };
    await writeFile(path.join(keepsIn, 'nemesis.json'), JSON.stringify(facts, null, 1));
    for (const [index, { output }] of cluster.nodes.entries()) {
      await writeFile(path.join(keepsIn, `node-${index}.log`), output);
    }
    throw new Error(`seed ${seed}: see ${keepsIn}`, { cause: error });
  } finally {
    await cluster[Symbol.asyncDispose]();
  }
}

class Nemesis {
  readonly #cluster: ChaosCluster;
  readonly #random: Random;
  readonly #happened: Happened[];
  readonly #say: (line: string) => void;

  constructor(
    cluster: ChaosCluster,
    random: Random,
    happened: Happened[],
    say: (line: string) => void,
  ) {
    this.#cluster = cluster;
    this.#random = random;
    this.#happened = happened;
    this.#say = say;
  }

  async run(until: ChaosOptions['until']): Promise<ChaosReport> {
    const { world, crowd } = this.#cluster;
    const endsAtMs = Date.now() + until.withinMs;
    const isEnough = (): boolean =>
      world.acknowledged >= until.acknowledged &&
      this.#happened.length >= until.faults &&
      crowd.claims >= until.claims;
    while (Date.now() < endsAtMs && !isEnough()) {
      this.#cluster.run();
      await this.#round(() => Date.now() >= endsAtMs || isEnough());
      await this.#checkAll();
    }
    return {
      acknowledged: world.acknowledged,
      faults: this.#happened.length,
      kinds: new Set(this.#happened.map(({ kind }) => kind)).size,
      claims: crowd.claims,
      granted: crowd.granted,
      audits: crowd.audits,
    };
  }

  /** Every kind once, in any order, sometimes two at a time. */
  async #round(isOver: () => boolean): Promise<void> {
    const left = shuffled(Object.keys(faults), this.#random);
    while (left.length > 0 && !isOver()) {
      const kinds = left.splice(0, this.#random.chance(pairsShare) ? 2 : 1);
      const [first, second] = kinds;
      // Not both of one thing: neither would be what it says.
      if (second && thingOf(first) === thingOf(second)) left.push(...kinds.splice(1));
      await Promise.all(kinds.map((kind) => this.#strike(kind)));
      const [problem] = this.#cluster.crowd.anomalies;
      if (problem !== undefined) throw new Error(`money: ${problem}`);
      await pause(this.#random.between(100, 1_000));
    }
  }

  async #strike(kind: string): Promise<void> {
    const fault = faults[kind];
    if (!fault) throw new Error(`no such fault: ${kind}`);
    const atMs = Date.now();
    const hit = await fault(this.#cluster, this.#random.fork()).catch((error: unknown) => {
      throw new Error(`${kind}: ${String(error)}`, { cause: error });
    });
    const tookMs = Date.now() - atMs;
    this.#happened.push({ kind, atMs, tookMs, hit });
    const { acknowledged } = this.#cluster.world;
    this.#say(`${kind} ${hit}: ${tookMs} ms, ${acknowledged} acknowledged`);
  }

  async #checkAll(): Promise<void> {
    const { world, crowd } = this.#cluster;
    const beganMs = Date.now();
    await crowd.pause();
    const late = await world.settle(settledWithinMs);
    if (late.length > 0) this.#say(`late: ${late.join('; ')}`);
    const anomalies = await world.check();
    const money = await crowd.check();
    this.#say(`checked in ${Date.now() - beganMs} ms`);
    const errors = world.errors.filter((error) => !error.includes('"UNAVAILABLE"'));
    const all = [
      ...late.map((what) => `late: ${what}`),
      ...anomalies.map(({ name, detail }) => `${name}: ${detail}`),
      ...money.map((what) => `money: ${what}`),
      ...errors.map((error) => `answered: ${error}`),
    ];
    if (all.length > 0) throw new Error(`${all.length} anomalies: ${all.slice(0, 20).join('\n')}`);
  }
}

function thingOf(kind: string | undefined): string | undefined {
  return kind?.split('-')[0];
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map((item) => ({ item, at: random.next() }))
    .sort((one, other) => one.at - other.at)
    .map(({ item }) => item);
}
