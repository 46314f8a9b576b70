import type { Clock } from '../../lib/clock.ts';
import { dialMs, ticketSlotMs, type BookTimes, type GateBook, type GateTidings } from './book.ts';
import type { GateReport, KnownGate } from './model.ts';

interface Page {
  readonly report: GateReport;
  readonly atMs: number;
  /** By slot. */
  readonly tickets: Map<number, number>;
}

/** In the memory of a process: for one node, or several in one test. */
export class MemoryGateBook implements GateBook {
  readonly #clock: Clock;
  readonly #times: BookTimes;
  readonly #pages = new Map<string, Page>();

  constructor({ clock, limits }: { readonly clock: Clock; readonly limits: BookTimes }) {
    this.#clock = clock;
    this.#times = limits;
  }

  /** Answers at once. */
  exchange({ report, tickets }: GateTidings): Promise<readonly KnownGate[]> {
    const atMs = this.#clock.now();
    if (report) {
      const counted = this.#pages.get(report.id)?.tickets ?? new Map<number, number>();
      this.#pages.set(report.id, { report, atMs, tickets: counted });
    }
    const slot = Math.floor(atMs / ticketSlotMs);
    for (const [id, count] of tickets) {
      const page = this.#pages.get(id);
      page?.tickets.set(slot, (page.tickets.get(slot) ?? 0) + count);
    }
    return Promise.resolve([...this.#pages.values()].flatMap((page) => this.#known(page, atMs)));
  }

  /** Answers at once. */
  forget(gateId: string): Promise<void> {
    this.#pages.delete(gateId);
    return Promise.resolve();
  }

  #known(page: Page, nowMs: number): KnownGate[] {
    if (page.atMs + this.#times.gateLeaseMs <= nowMs) {
      this.#pages.delete(page.report.id);
      return [];
    }
    let tickets = 0;
    for (const [slot, count] of page.tickets) {
      if ((slot + 1) * ticketSlotMs > page.atMs - dialMs) tickets += count;
      else page.tickets.delete(slot);
    }
    return [{ ...page.report, tickets }];
  }
}
