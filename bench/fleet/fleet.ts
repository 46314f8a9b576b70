import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { print } from 'graphql';
import { InboxDocument } from '../../client/generated/documents.ts';
import { decodeIdOf } from '../../src/resolvers/global-id.ts';
import type { Group } from '../load/fastim-groups.ts';
import { cpuMicrosOf } from '../runner/machine.ts';
import { demand } from '../runner/void.ts';
import { countAsOwn } from '../servers/server-child.ts';
import type {
  ClientKind,
  ClientSpec,
  FleetOrder,
  FleetReport,
  FleetStatus,
  Outage,
  Seen,
} from './protocol.ts';

const childFile = fileURLToPath(new URL('child.ts', import.meta.url));
const statusEveryMs = 100;
const inbox = print(InboxDocument);

export interface FleetOptions {
  readonly kind: ClientKind;
  readonly gates: readonly string[];
  readonly clients: readonly ClientSpec[];
  readonly processes: number;
  readonly seed: number;
}

/**
 * The members of groups as clients, but for the first of each, who talks.
 * @param gateOf where the nth of them dials first, by index.
 */
export function clientsOf(
  groups: readonly Group[],
  gateOf: (n: number) => number,
): readonly ClientSpec[] {
  return groups
    .flatMap(({ members }) => members.slice(1))
    .map(({ id, accessToken }, n) => {
      return { userId: String(decodeIdOf('User', id)), accessToken, gate: gateOf(n) };
    });
}

/** Many clients with an open inbox, in processes of their own. */
export class Fleet implements AsyncDisposable {
  readonly #children: readonly ChildProcess[];
  readonly #forget: readonly (() => void)[];
  readonly #count: number;

  constructor({ kind, gates, clients, processes, seed }: FleetOptions) {
    this.#count = clients.length;
    this.#children = Array.from({ length: processes }, (_, process) => {
      const child = fork(childFile, { execArgv: ['--import', import.meta.resolve('tsx')] });
      const order: FleetOrder = {
        ...{ kind: 'start', clientKind: kind, gates, query: inbox, seed: seed + process },
        clients: clients.filter((_client, index) => index % processes === process),
      };
      child.send(order);
      return child;
    });
    this.#forget = this.#children.map((child) => countAsOwn(() => child.pid ?? 0));
  }

  /** Waits until all are live and `isEnough`. @throws {VoidRun} where they found anything wrong, or it takes too long. */
  async until(
    isEnough: (status: FleetTotals) => boolean,
    withinMs: number,
    what: string,
  ): Promise<void> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const statuses = await this.#ask<FleetStatus>({ kind: 'status' });
      const totals = { count: this.#count, ...totalsOf(statuses) };
      demand(totals.failure === null, totals.failure ?? '');
      if (totals.live === this.#count && isEnough(totals)) return;
      demand(
        Date.now() < deadline,
        `not within ${withinMs} ms: ${what} (${JSON.stringify(totals)})`,
      );
      await pause(statusEveryMs);
    }
  }

  /** Breaks all connections, once. */
  cut(): void {
    for (const child of this.#children) child.send({ kind: 'cut' } satisfies FleetOrder);
  }

  cpuMicros(): number {
    return this.#children.reduce((sum, { pid }) => sum + cpuMicrosOf(pid ?? 0), 0);
  }

  async report(): Promise<FleetTotalReport> {
    const reports = await this.#ask<FleetReport>({ kind: 'report' });
    return {
      outages: reports.flatMap(({ outages }) => outages),
      seen: reports.flatMap(({ seen }) => seen),
      longestDelaysMs: reports.flatMap(({ longestDelaysMs }) => longestDelaysMs),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const forget of this.#forget) forget();
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const gone = once(child, 'exit');
        child.kill('SIGKILL');
        await gone;
      }),
    );
  }

  #ask<Answer extends { kind: string }>(order: FleetOrder): Promise<Answer[]> {
    return Promise.all(
      this.#children.map(async (child) => {
        const answered = once(child, 'message');
        child.send(order);
        const [answer] = (await answered) as [Answer];
        return answer;
      }),
    );
  }
}

export interface FleetTotals {
  readonly count: number;
  readonly live: number;
  readonly resumed: number;
  readonly leastMessages: number;
  readonly failure: string | null;
}

export interface FleetTotalReport {
  readonly outages: readonly Outage[];
  /** By client. */
  readonly seen: readonly (readonly Seen[])[];
  readonly longestDelaysMs: readonly number[];
}

function totalsOf(statuses: readonly FleetStatus[]): Omit<FleetTotals, 'count'> {
  return {
    live: statuses.reduce((sum, { live }) => sum + live, 0),
    resumed: statuses.reduce((sum, { resumed }) => sum + resumed, 0),
    leastMessages: Math.min(...statuses.map(({ leastMessages }) => leastMessages)),
    failure: statuses.find(({ failure }) => failure !== null)?.failure ?? null,
  };
}
