import { demand, VoidRun } from '../runner/void.ts';

/** A message, as an acknowledgement or a delivery tells it. */
export interface Told {
  readonly id: string;
  readonly conversationId: string;
  readonly seq: number;
  readonly text: string;
}

interface Line {
  readonly first: number;
  /** The newest seq that was delivered. */
  delivered: number;
  readonly acknowledged: Map<number, Told>;
  readonly early: Map<number, Told>;
}

/**
 * Holds every delivery against its acknowledgement: each acknowledged message is delivered once, in the order of its
 * seqs, without a gap, and with the id and the whole text that were acknowledged. (The text itself, which says more
 * than its hash, and costs less.) Whichever of the two comes first.
 */
export class Deliveries {
  readonly #lines = new Map<string, Line>();
  readonly #idle: (() => void)[] = [];
  #missing = 0;
  /** Deliveries so far. */
  count = 0;
  #failure: VoidRun | undefined;

  /** Deliveries of this conversation begin after `seq`; what is older may still be on its way, until then. */
  expect(conversationId: string, seq: number): void {
    this.#lines.set(conversationId, {
      first: seq,
      delivered: seq,
      acknowledged: new Map(),
      early: new Map(),
    });
  }

  acknowledged(message: Told): void {
    const line = this.#lineOf(message);
    if (!line) return;
    const early = line.early.get(message.seq);
    if (early) {
      line.early.delete(message.seq);
      this.#compare(message, early);
    } else if (message.seq <= line.delivered || line.acknowledged.has(message.seq)) {
      this.#fail(`seq ${message.seq} of ${message.conversationId} was acknowledged twice`);
    } else {
      line.acknowledged.set(message.seq, message);
      this.#missing += 1;
    }
  }

  delivered(message: Told): void {
    const line = this.#lineOf(message);
    if (!line) return;
    if (message.seq <= line.first && line.delivered === line.first) return;
    this.count += 1;
    if (message.seq !== line.delivered + 1) {
      this.#fail(
        `seq ${message.seq} of ${message.conversationId} was delivered after ${line.delivered}`,
      );
    }
    line.delivered = message.seq;
    const acknowledged = line.acknowledged.get(message.seq);
    if (!acknowledged) {
      line.early.set(message.seq, message);
      return;
    }
    line.acknowledged.delete(message.seq);
    this.#missing -= 1;
    this.#compare(acknowledged, message);
    if (this.#missing === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** @throws {VoidRun} what was wrong so far. */
  check(): void {
    if (this.#failure) throw this.#failure;
  }

  /** @throws {VoidRun} where not all that was acknowledged is delivered in time, or something was wrong. */
  async settle(withinMs: number): Promise<void> {
    this.check();
    if (this.#missing > 0) {
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([
        new Promise<void>((resolve) => this.#idle.push(resolve)),
        new Promise<void>((resolve) => (timer = setTimeout(resolve, withinMs))),
      ]);
      clearTimeout(timer);
    }
    this.check();
    demand(
      this.#missing === 0,
      `${this.#missing} acknowledged messages were not delivered within ${withinMs} ms`,
    );
  }

  #lineOf({ conversationId }: Told): Line | undefined {
    const line = this.#lines.get(conversationId);
    if (!line) this.#fail(`a message came from ${conversationId}, where nobody listens`);
    return line;
  }

  #compare(acknowledged: Told, delivered: Told): void {
    if (acknowledged.id === delivered.id && acknowledged.text === delivered.text) return;
    this.#fail(
      `seq ${delivered.seq} of ${delivered.conversationId} was delivered otherwise than it was acknowledged`,
    );
  }

  #fail(what: string): void {
    this.#failure ??= new VoidRun(what);
  }
}
