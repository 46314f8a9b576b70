import type { Lifecycle } from '../../lib/lifecycle.ts';
import type { Logger } from '../../lib/log.ts';
import type { Broker, Subscription } from './broker.ts';
import { decodeGateText } from '../inbox/gate-text.ts';
import { happeningsOf } from '../inbox/happenings.ts';
import type { Router } from '../inbox/router.ts';
import { gateChannel } from './stays.ts';

export interface DeliveriesDeps {
  /** This gate's name. */
  readonly gate: string;
  /** By bucket of users. */
  readonly brokers: readonly Broker[];
  readonly bucketIndexOf: (userId: bigint) => number;
  readonly router: Router;
  readonly log: Logger;
  readonly limits: {
    /** How many users look at their logs at a time, where something may have been missed. */
    readonly recheckUsersPerSlice: number;
    readonly recheckSliceMs: number;
  };
}

/**
 * What was appended to the logs of this gate's users, by whichever node: heard from the Redis that has the logs, and handed to
 * their streams. Where something may have been missed, they look at their logs, some at a time.
 */
export class Deliveries implements Lifecycle {
  readonly #deps: DeliveriesDeps;
  #subscriptions: Subscription[] = [];
  readonly #unlisten: (() => void)[] = [];
  readonly #rechecking = new Map<number, NodeJS.Timeout>();

  constructor(deps: DeliveriesDeps) {
    this.#deps = deps;
  }

  start(): Promise<void> {
    const { gate, brokers } = this.#deps;
    this.#subscriptions = brokers.map((broker, index) => {
      this.#unlisten.push(broker.onRestored(() => this.recheck(index)));
      return broker.subscribe(gateChannel(gate), (text) => this.#deliver(text));
    });
    return Promise.resolve();
  }

  stop(): Promise<void> {
    for (const subscription of this.#subscriptions) subscription.end();
    for (const unlisten of this.#unlisten) unlisten();
    for (const timer of this.#rechecking.values()) clearTimeout(timer);
    this.#rechecking.clear();
    return Promise.resolve();
  }

  /** Has the users of a bucket look at their logs, in slices; those who are asked meanwhile are asked once more. */
  recheck(bucketIndex: number): void {
    clearTimeout(this.#rechecking.get(bucketIndex));
    const { router, bucketIndexOf, limits } = this.#deps;
    const users = router.userIds.filter((userId) => bucketIndexOf(userId) === bucketIndex);
    const next = (from: number): void => {
      const slice = users.slice(from, from + limits.recheckUsersPerSlice);
      if (slice.length === 0) {
        this.#rechecking.delete(bucketIndex);
        return;
      }
      router.recheck(slice);
      const timer = setTimeout(() => next(from + slice.length), limits.recheckSliceMs);
      this.#rechecking.set(bucketIndex, timer);
    };
    next(0);
  }

  #deliver(text: string): void {
    try {
      const { appended, telling } = decodeGateText(text);
      this.#deps.router.deliverAll(appended, happeningsOf(telling));
    } catch (err) {
      // The next one shows a jump, and the log is read.
      this.#deps.log.error({ err }, 'deliveries.unreadable');
    }
  }
}
