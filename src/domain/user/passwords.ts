import { hash, verify } from '@node-rs/argon2';
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Fault } from '../../lib/fault.ts';
import { Turnstile } from '../../storage/turnstile.ts';

/** What one hash costs: memory in KiB, and how often it is gone over. */
export interface PasswordCost {
  readonly memoryKib: number;
  readonly passes: number;
}

/** OWASP's advice for argon2id on one lane: some 30 ms of one core and 19 MiB each. */
export const passwordCost: PasswordCost = { memoryKib: 19_456, passes: 2 };

/** Node's pool has four threads, which files and names need as well. */
const atOnceMax = Math.max(1, Math.min(2, availableParallelism() - 1));
/** At full cost some seconds of waiting: who comes later has given up by the time it is their turn. */
const waitingMax = 128;
const retryAfterMs = 2_000;

/** Hashes passwords with argon2id, few at once, since each takes memory and a core. */
export class Passwords {
  readonly #cost: PasswordCost;
  readonly #waitingMax: number;
  readonly #turnstile: Turnstile;
  readonly #decoy: string;

  constructor(deps: { cost?: PasswordCost; waitingMax?: number } = {}) {
    this.#cost = deps.cost ?? passwordCost;
    this.#waitingMax = deps.waitingMax ?? waitingMax;
    this.#turnstile = new Turnstile({ places: atOnceMax, waitingMax: this.#waitingMax });
    this.#decoy = decoyHash(this.#cost);
  }

  /**
   * A new hash in PHC's notation, with a salt and its cost in it.
   * @throws {Fault} UNAVAILABLE when too many wait.
   */
  hash(password: string): Promise<string> {
    const { memoryKib, passes } = this.#cost;
    return this.#inTurn(() => hash(password, { memoryCost: memoryKib, timeCost: passes }));
  }

  /**
   * Whether it is the password of that hash.
   * @param hash null where there is no such user: takes as long, and answers false.
   * @throws {Fault} UNAVAILABLE when too many wait.
   */
  matches(password: string, hash: string | null): Promise<boolean> {
    return this.#inTurn(() => verify(hash ?? this.#decoy, password));
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#turnstile.waiting >= this.#waitingMax) {
      throw new Fault('UNAVAILABLE', 'Too many are signing in at once', { retryAfterMs });
    }
    const leave = await this.#turnstile.enter();
    try {
      return await work();
    } finally {
      leave();
    }
  }
}

/** Costs as much to compare with as any hash, and is that of no password: nobody has ever hashed to it. */
function decoyHash({ memoryKib, passes }: PasswordCost): string {
  const unpadded = (bytes: number): string =>
    randomBytes(bytes).toString('base64').replace(/=+$/, '');
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=1$${unpadded(16)}$${unpadded(32)}`;
}
