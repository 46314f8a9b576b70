import { appendFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pause, Random } from '../kill/random.ts';
import type { World } from '../kill/world.ts';
import { ChaosCluster, type Bustle } from './chaos-cluster.ts';
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
  /** Of these kinds alone; default: all. */
  readonly kinds?: readonly string[];
  readonly bustle: Bustle;
  /** What was committed is told everywhere within this, once all is well; default: two minutes, for a machine that is busy. */
  readonly settledWithinMs?: number;
  readonly say: (line: string) => void;
  /** Ends it early, as if the time were over. */
  readonly signal?: AbortSignal;
}

export interface ChaosReport {
  readonly acknowledged: number;
  readonly faults: number;
  readonly kinds: number;
  readonly claims: number;
  readonly granted: number;
  readonly audits: number;
  /** Sessions that were ended while their inbox was open. */
  readonly endedSessions: number;
}

/** Something did not hold: what happened, what clients saw and what the nodes said is in a folder. */
export class ChaosFailure extends Error {
  override name = 'ChaosFailure';
  readonly folder: string;
  /** What the checker calls it; none where something else went wrong. */
  readonly names: ReadonlySet<string>;

  constructor(of: { seed: number; folder: string; names: ReadonlySet<string>; cause: unknown }) {
    super(`seed ${of.seed}: see ${of.folder}: ${String(of.cause)}`, { cause: of.cause });
    this.folder = of.folder;
    this.names = of.names;
  }
}

/** Promises that were broken. */
class Broken extends Error {
  override name = 'Broken';
  readonly names: ReadonlySet<string>;

  constructor(anomalies: readonly { readonly name: string; readonly detail: string }[]) {
    const lines = anomalies.slice(0, 20).map(({ name, detail }) => `${name}: ${detail}`);
    super(`${anomalies.length} anomalies: ${lines.join('\n')}`);
    this.names = new Set(anomalies.map(({ name }) => name));
  }
}

interface Happened {
  readonly kind: string;
  readonly atMs: number;
  readonly tookMs: number;
  readonly hit: string;
}

const allKinds = Object.keys(faults);
/** After so many faults all is well for so long. */
const calmEvery = 8;
const calmMs = 7_000;
/** This process is asked so often whether it goes on, and was away if it says so that much later. */
const paceMs = 100;
const awayMs = 1_000;
/** Of two faults so many come at the same time. */
const pairsShare = 0.15;

/**
 * Lets everything go wrong that can, in an order that the seed gives, while clients chat and give money away; now and then all
 * is well for a while, and then every promise must hold.
 * @throws {ChaosFailure} where one is broken.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { main, seed, until, bustle, signal } = options;
  const { kinds = allKinds, settledWithinMs = 120_000 } = options;
  const keepsIn = await mkdtemp(path.join(tmpdir(), `fastim-chaos-${seed}-`));
  const happened: Happened[] = [];
  // Where it hangs, and is ended from outside, this is all that there is.
  const say = (line: string): void => {
    appendFileSync(path.join(keepsIn, 'said.log'), `${new Date().toISOString()} ${line}\n`);
    options.say(line);
  };
  say(`what it keeps where something is broken: ${keepsIn}`);
  const cluster = await ChaosCluster.start({ main, seed, keepsIn, bustle });
  try {
    using _pace = watchPace(cluster.world);
    const random = new Random(seed ^ 0x5eed);
    const nemesis = new Nemesis({ cluster, random, happened, say, kinds, settledWithinMs });
    const report = await nemesis.run(until, signal);
    await rm(keepsIn, { recursive: true, force: true });
    return report;
  } catch (error) {
    const facts = { seed, error: String(error), happened };
    await writeFile(path.join(keepsIn, 'nemesis.json'), JSON.stringify(facts, null, 1));
    for (const [index, { output }] of cluster.nodes.entries()) {
      await writeFile(path.join(keepsIn, `node-${index}.log`), output);
    }
    const names = error instanceof Broken ? error.names : new Set<string>();
    throw new ChaosFailure({ seed, folder: keepsIn, names, cause: error });
  } finally {
    await cluster[Symbol.asyncDispose]();
  }
}

interface NemesisDeps {
  readonly cluster: ChaosCluster;
  readonly random: Random;
  readonly happened: Happened[];
  readonly kinds: readonly string[];
  readonly settledWithinMs: number;
  readonly say: (line: string) => void;
}

class Nemesis {
  readonly #cluster: ChaosCluster;
  readonly #random: Random;
  readonly #happened: Happened[];
  readonly #kinds: readonly string[];
  readonly #settledWithinMs: number;
  readonly #say: (line: string) => void;
  /** How many faults there shall have been before all is well for a while. */
  #calmAt = calmEvery;

  constructor({ cluster, random, happened, kinds, settledWithinMs, say }: NemesisDeps) {
    this.#cluster = cluster;
    this.#random = random;
    this.#happened = happened;
    this.#kinds = kinds;
    this.#settledWithinMs = settledWithinMs;
    this.#say = say;
  }

  async run(until: ChaosOptions['until'], signal?: AbortSignal): Promise<ChaosReport> {
    const { world, crowd } = this.#cluster;
    const endsAtMs = Date.now() + until.withinMs;
    const isEnough = (): boolean =>
      world.acknowledged >= until.acknowledged &&
      this.#happened.length >= until.faults &&
      crowd.claims >= until.claims;
    const isOver = (): boolean => signal?.aborted === true || Date.now() >= endsAtMs || isEnough();
    while (!isOver()) {
      this.#cluster.run();
      await this.#round(isOver);
      await this.#checkAll();
    }
    return {
      acknowledged: world.acknowledged,
      faults: this.#happened.length,
      kinds: new Set(this.#happened.map(({ kind }) => kind)).size,
      claims: crowd.claims,
      granted: crowd.granted,
      audits: crowd.audits,
      endedSessions: world.endedSessions,
    };
  }

  /** Every kind once, in any order, sometimes two at a time. */
  async #round(isOver: () => boolean): Promise<void> {
    const left = shuffled(this.#kinds, this.#random);
    while (left.length > 0 && !isOver()) {
      const kinds = left.splice(0, this.#random.chance(pairsShare) ? 2 : 1);
      const [first, second] = kinds;
      // Not both of one thing: neither would be what it says.
      if (second && thingOf(first) === thingOf(second)) left.push(...kinds.splice(1));
      await Promise.all(kinds.map((kind) => this.#strike(kind)));
      const [problem] = this.#cluster.crowd.anomalies;
      if (problem !== undefined) throw new Error(`money: ${problem}`);
      const isCalm = this.#happened.length >= this.#calmAt;
      if (isCalm) this.#calmAt += calmEvery;
      await pause(isCalm ? calmMs : this.#random.between(100, 1_000));
    }
  }

  async #strike(kind: string): Promise<void> {
    const fault = faults[kind];
    if (!fault) throw new Error(`no such fault: ${kind}`);
    const atMs = Date.now();
    const isWell = this.#cluster.world.noteTrouble();
    const hit = await fault(this.#cluster, this.#random.fork()).catch((error: unknown) => {
      throw new Error(`${kind}: ${String(error)}`, { cause: error });
    });
    isWell();
    const tookMs = Date.now() - atMs;
    this.#happened.push({ kind, atMs, tookMs, hit });
    const { world, crowd } = this.#cluster;
    this.#say(
      `${kind} ${hit}: ${tookMs} ms, ${world.acknowledged} acknowledged, ${crowd.claims} claims`,
    );
  }

  async #checkAll(): Promise<void> {
    const { world, crowd } = this.#cluster;
    const beganMs = Date.now();
    await crowd.pause();
    // First: packets whose time is over are told of as well.
    const money = await crowd.check();
    const late = await world.settle(this.#settledWithinMs);
    if (late.length > 0) this.#say(`late: ${late.join('; ')}`);
    const anomalies = await world.check();
    this.#say(`checked in ${Date.now() - beganMs} ms`);
    const errors = world.errors.filter((error) => !error.includes('"UNAVAILABLE"'));
    const all = [
      ...late.map((detail) => ({ name: 'late', detail })),
      ...anomalies,
      ...money.map((detail) => ({ name: 'money', detail })),
      ...errors.map((detail) => ({ name: 'answered', detail })),
    ];
    if (all.length > 0) throw new Broken(all);
  }
}

/** Where this process stood still on a busy machine, clients heard of late what they were told in time. */
function watchPace(world: World): Disposable {
  let lastMs = Date.now();
  const timer = setInterval(() => {
    if (Date.now() - lastMs > awayMs) world.noteStandstill(lastMs);
    lastMs = Date.now();
  }, paceMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
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
