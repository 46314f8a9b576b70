import type { Logger } from '../../lib/log.ts';
import type { Broker } from '../nodes/broker.ts';

/**
 * Publishes to channels that others listen to, and to no others, in the order of the calls. What is called for while Redis
 * is asked goes with the next question, so there is one at a time. It is at most once: what cannot be told is dropped.
 */
export class NewsTeller {
  readonly #broker: Broker;
  readonly #log: Logger;
  readonly #waitingMax: number;
  #waiting: { channel: string; text: () => string }[] = [];
  #running: Promise<void> | null = null;

  constructor(broker: Broker, deps: { log: Logger; limits: { newsWaitingMax: number } }) {
    this.#broker = broker;
    this.#log = deps.log;
    this.#waitingMax = deps.limits.newsWaitingMax;
  }

  /** @param text made only where somebody hears it. */
  tell(channel: string, text: () => string): void {
    // Whoever does not hear of it finds it when they look.
    if (!this.#broker.isUp || this.#waiting.length >= this.#waitingMax) return;
    this.#waiting.push({ channel, text });
    this.#running ??= this.#run();
  }

  /** Ends when what is under way is told. */
  async stop(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // What is said in this turn goes together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const telling = this.#waiting;
      this.#waiting = [];
      try {
        const channels = [...new Set(telling.map(({ channel }) => channel))];
        const heard = await this.#broker.heardElsewhere(channels);
        const told = telling.filter(({ channel }) => heard.has(channel));
        await Promise.all(told.map(({ channel, text }) => this.#broker.publish(channel, text())));
      } catch (err) {
        this.#log.debug({ err }, 'news.untold');
      }
    }
    // In the same turn in which there was nothing left.
    this.#running = null;
  }
}
