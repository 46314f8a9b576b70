import { demand } from '../runner/void.ts';
import type { Done } from './done.ts';
import type { LoadSocket, Waiting } from './socket.ts';

/** What a claim was answered with. Null where nothing was left. */
export interface ClaimAnswer {
  readonly redPacketId: string;
  readonly amount: number | null;
  /** The credit had not come when it was answered. */
  readonly isPending: boolean;
}

/** How a contender is asked for a share, and what its answer says. */
export interface ClaimApi<Data = never> {
  payload(redPacketId: string): string;
  /** @throws {VoidRun} for an answer that cannot be. */
  answerOf(data: Data): ClaimAnswer;
}

/** A packet, and what claimers were answered of it. */
export class HotPacket {
  readonly id: string;
  readonly payload: string;
  readonly #total: number;
  readonly #shares: number;
  readonly #winners = new Set<number>();
  #asked = 0;
  #sum = 0;

  constructor(id: string, payload: string, options: { total: number; shares: number }) {
    this.id = id;
    this.payload = payload;
    this.#total = options.total;
    this.#shares = options.shares;
  }

  /** What of it was given away. */
  get sum(): number {
    return this.#sum;
  }

  /** @throws {VoidRun} for a share that nobody can have had. */
  answered(claimer: number, { redPacketId, amount }: ClaimAnswer): void {
    demand(redPacketId === this.id, `a claim of ${this.id} was answered for ${redPacketId}`);
    this.#asked += 1;
    if (amount === null) return;
    demand(Number.isSafeInteger(amount) && amount >= 1, `a share of ${this.id} was ${amount}`);
    demand(!this.#winners.has(claimer), `somebody had two shares of ${this.id}`);
    this.#winners.add(claimer);
    this.#sum += amount;
    demand(this.#winners.size <= this.#shares, `${this.id} had a share too many`);
    demand(this.#sum <= this.#total, `${this.id} gave more than it had`);
  }

  /** Once nobody asks any more: as many as could have won. @throws {VoidRun} */
  check(): void {
    const won = this.#winners.size;
    demand(
      won === Math.min(this.#asked, this.#shares),
      `${won} of ${this.#asked} won a share of ${this.id}`,
    );
    if (won === this.#shares) {
      demand(this.#sum === this.#total, `${this.id} gave ${this.#sum} of ${this.#total}`);
    }
  }
}

/** How claims ended so far. */
export interface ClaimTally {
  won: number;
  lost: number;
  pending: number;
}

/** One who claims, of each packet once. */
export class Claimer<Data = never> {
  readonly socket: LoadSocket;
  readonly #index: number;
  readonly #api: ClaimApi<Data>;
  readonly #tally: ClaimTally;

  constructor(index: number, deps: { socket: LoadSocket; api: ClaimApi<Data>; tally: ClaimTally }) {
    this.socket = deps.socket;
    this.#index = index;
    this.#api = deps.api;
    this.#tally = deps.tally;
  }

  /** @param onAnswer told before `done` whether it won. */
  claim(packet: HotPacket, done: Done, onAnswer?: (isWon: boolean) => void): void {
    this.socket.ask(packet.payload, new Claiming(this, packet, done, onAnswer));
  }

  /** @throws {VoidRun} where the answer cannot be. @returns whether it won. */
  answered(packet: HotPacket, data: Data): boolean {
    const answer = this.#api.answerOf(data);
    packet.answered(this.#index, answer);
    const isWon = answer.amount !== null;
    this.#tally[isWon ? 'won' : 'lost'] += 1;
    if (answer.isPending) this.#tally.pending += 1;
    return isWon;
  }
}

/** One claim under way; an object of a class, as a message of a sender is. */
class Claiming<Data> implements Waiting<Data> {
  readonly #claimer: Claimer<Data>;
  readonly #packet: HotPacket;
  readonly #done: Done;
  readonly #onAnswer: ((isWon: boolean) => void) | undefined;

  constructor(
    claimer: Claimer<Data>,
    packet: HotPacket,
    done: Done,
    onAnswer: ((isWon: boolean) => void) | undefined,
  ) {
    this.#claimer = claimer;
    this.#packet = packet;
    this.#done = done;
    this.#onAnswer = onAnswer;
  }

  answered(data: Data): void {
    const isWon = this.#claimer.answered(this.#packet, data);
    this.#onAnswer?.(isWon);
    this.#done();
  }

  failed(error: Error): void {
    this.#done(error);
  }
}
