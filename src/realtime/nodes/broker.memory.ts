import type { Broker, Listener, Subscription } from './broker.ts';

/** What the brokers of one process share. */
export type Hub = Map<string, Seats>;

type Seats = Map<object, { readonly broker: MemoryBroker; readonly tell: Listener }>;

/** Carries texts within a process: for one node, and for several that a test runs side by side. */
export class MemoryBroker implements Broker {
  readonly isUp = true;
  readonly #hub: Hub;

  /** @param hub shared with the brokers of other nodes; without it there are none. */
  constructor(hub: Hub = new Map()) {
    this.#hub = hub;
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    for (const [channel, seats] of this.#hub) {
      for (const [key, { broker }] of seats) if (broker === this) seats.delete(key);
      if (seats.size === 0) this.#hub.delete(channel);
    }
    return Promise.resolve();
  }

  subscribe(channel: string, listener: Listener): Subscription {
    const key = {};
    const seats = this.#hub.get(channel) ?? emptySeats();
    this.#hub.set(channel, seats.set(key, { broker: this, tell: listener }));
    return {
      ready: Promise.resolve(),
      end: () => {
        seats.delete(key);
        if (seats.size === 0 && this.#hub.get(channel) === seats) this.#hub.delete(channel);
      },
    };
  }

  publish(channel: string, text: string): Promise<void> {
    for (const { tell } of [...(this.#hub.get(channel)?.values() ?? [])]) tell(text);
    return Promise.resolve();
  }

  heardElsewhere(channels: readonly string[]): Promise<ReadonlySet<string>> {
    const isHeard = (channel: string): boolean =>
      [...(this.#hub.get(channel)?.values() ?? [])].some(({ broker }) => broker !== this);
    return Promise.resolve(new Set(channels.filter(isHeard)));
  }

  /** It never breaks. */
  onRestored(): () => void {
    return () => undefined;
  }
}

function emptySeats(): Seats {
  return new Map<object, { broker: MemoryBroker; tell: Listener }>();
}
