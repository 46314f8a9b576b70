import type { GateReport, KnownGate } from './model.ts';

/** What a node has to say to the others. */
export interface GateTidings {
  /** Of its own gate; null: nothing since the last one. */
  readonly report: GateReport | null;
  /** How many clients it sent to each gate since it last said so. */
  readonly tickets: ReadonlyMap<string, number>;
}

export interface BookTimes {
  /** How long a report holds. */
  readonly gateLeaseMs: number;
}

/** How long a client may take from its ticket to its connection. */
export const dialMs = 1_000;

/**
 * What gates say of themselves, and where clients were sent, as all nodes know it.
 *
 * - A report holds until the next one of the same gate, `forget`, or the end of its lease.
 * - A ticket counts until its gate has reported at least `dialMs` after it was told, so that whoever got it is among the
 *   connections by then; and no longer than the gate is known. One for an unknown gate does not count.
 * - An answer holds all that was told before it was asked for, by whichever node.
 */
export interface GateBook {
  /** @throws where it is unknown whether it was heard. */
  exchange(tidings: GateTidings): Promise<readonly KnownGate[]>;
  /** Takes a gate out. */
  forget(gateId: string): Promise<void>;
}

/** Tickets are counted by the slot of time in which they were told. */
export const ticketSlotMs = 250;
