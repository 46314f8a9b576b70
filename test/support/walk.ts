import fc from 'fast-check';
import { TestFault, type TestUser } from './clients.ts';
import * as deeds from './deeds.ts';
import type { TestServer } from './server.ts';
import type { World } from './verify-action.ts';

/** A number that names one of what there is when its turn comes. */
const pick = fc.nat({ max: 999 });
const few = fc.array(pick, { minLength: 1, maxLength: 5 });
const roles = ['OWNER', 'ADMIN', 'MEMBER'] as const;

export interface Action {
  readonly kind:
    | ('say' | 'reply' | 'burst' | 'edit' | 'recall' | 'read')
    | ('add' | 'remove' | 'leave' | 'rename' | 'role' | 'open' | 'group');
  readonly who: number;
  readonly where: number;
  readonly whom: readonly number[];
  readonly number: number;
}

/** Things that happen one after the other before what everybody sees is looked at. */
export interface Round {
  /** Each list at once. */
  readonly batches: readonly (readonly Action[])[];
  /** Whose device goes away before it, after so many more events; until a round that sends none away. */
  readonly away: { readonly who: number; readonly processed: number } | null;
  /** The server goes while the last batch is under way. */
  readonly isRestarted: boolean;
  readonly isWatchedMeanwhile: boolean;
  readonly pullEvents: number;
}

const weights: Record<Action['kind'], number> = {
  ...{ say: 6, reply: 2, burst: 1, edit: 3, recall: 2, read: 3 },
  ...{ add: 3, remove: 2, leave: 1, rename: 1, role: 1, open: 1, group: 1 },
};

const actions: fc.Arbitrary<Action> = fc.record({
  kind: fc.oneof(
    ...Object.entries(weights).map(([kind, weight]) => ({
      weight,
      arbitrary: fc.constant(kind as Action['kind']),
    })),
  ),
  who: pick,
  where: pick,
  whom: few,
  number: pick,
});

export const rounds: fc.Arbitrary<Round> = fc.record({
  batches: fc.array(fc.array(actions, { minLength: 1, maxLength: 7 }), {
    minLength: 1,
    maxLength: 3,
  }),
  away: fc.option(fc.record({ who: pick, processed: fc.nat({ max: 4 }) }), { freq: 1 }),
  isRestarted: fc.nat({ max: 7 }).map((number) => number === 7),
  isWatchedMeanwhile: fc.boolean(),
  pullEvents: fc.constantFrom(1, 3, 10, 200),
});

interface Place {
  readonly id: string;
  lastSeq: number;
  /** Who made it, or got it last. */
  owner: TestUser;
  readonly sent: { readonly seq: number; readonly sender: TestUser }[];
}

/** Where the walk is: what is known of the conversations from the answers. */
export class Walk {
  readonly #server: TestServer;
  readonly #world: World;
  readonly #users: readonly TestUser[];
  readonly #places: Place[] = [];
  #texts = 0;

  constructor(server: TestServer, world: World, users: readonly TestUser[]) {
    this.#server = server;
    this.#world = world;
    this.#users = users;
  }

  /** @throws {BrokenPromise} where somebody then does not see what they should. */
  async go(round: Round): Promise<void> {
    if (round.away) {
      const mirror = at(this.#world.mirrors, round.away.who);
      await mirror.process(round.away.processed);
      await mirror.disconnect();
    } else {
      await this.comeBack();
    }
    const { isWatchedMeanwhile, pullEvents } = round;
    await this.#world.verify(() => this.#act(round), {
      // Queries have no second try.
      isWatchedMeanwhile: isWatchedMeanwhile && !round.isRestarted,
      pullEvents,
    });
  }

  /** Every device is connected again. */
  async comeBack(): Promise<void> {
    for (const mirror of this.#world.mirrors) await mirror.connect();
  }

  async #act({ batches, isRestarted }: Round): Promise<void> {
    for (const [index, batch] of batches.entries()) {
      const isInterrupted = isRestarted && index === batches.length - 1;
      const acting = Promise.allSettled(batch.map((action) => this.#perform(action)));
      if (isInterrupted) await this.#server.restart();
      for (const outcome of await acting) {
        if (outcome.status === 'rejected' && !isInterrupted) refusedRightly(outcome.reason);
      }
    }
  }

  async #perform({ kind, who, where, whom, number }: Action): Promise<void> {
    const user = at(this.#users, who);
    const others = [...new Set(whom.map((index) => at(this.#users, index)))];
    const [other = user] = others;
    if (kind === 'open' || kind === 'group' || this.#places.length === 0) {
      const isGroup = kind !== 'open';
      const id = await (isGroup ? deeds.group(user, ...others) : deeds.open(user, other));
      const isKnown = this.#places.some((known) => known.id === id);
      if (!isKnown) this.#places.push({ id, lastSeq: isGroup ? 1 : 0, owner: user, sent: [] });
      return;
    }
    const place = at(this.#places, where);
    const { id } = place;
    const seq = 1 + (number % (place.lastSeq + 1));
    // Mostly by who may, else nearly all would be refused.
    const isApt = who % 4 > 0;
    const target = isApt && place.sent.length > 0 ? at(place.sent, number) : { seq, sender: user };
    const manager = isApt ? place.owner : user;
    switch (kind) {
      case 'say':
        return this.#say(user, place);
      case 'reply':
        return this.#say(user, place, seq);
      case 'burst':
        await Promise.all(Array.from({ length: 2 + (number % 12) }, () => this.#say(user, place)));
        return;
      case 'edit':
        await deeds.edit(target.sender, id, target.seq, this.#text());
        return;
      case 'recall':
        await deeds.recall(target.sender, id, target.seq);
        return;
      case 'read':
        await deeds.read(user, id, seq);
        return;
      case 'add':
        await deeds.add(user, id, ...others);
        return;
      case 'remove':
        await deeds.remove(manager, id, other);
        return;
      case 'leave':
        await deeds.leave(user, id);
        return;
      case 'rename':
        await deeds.rename(manager, id, `Title ${number % 3}`);
        return;
      case 'role':
        await deeds.setRole(manager, id, other, at(roles, number));
        if (at(roles, number) === 'OWNER') place.owner = other;
        return;
    }
  }

  async #say(sender: TestUser, place: Place, replyToSeq?: number): Promise<void> {
    const { sendMessage } = await deeds.say(sender, place.id, this.#text(), replyToSeq);
    const { seq } = sendMessage.message;
    place.lastSeq = Math.max(place.lastSeq, seq);
    place.sent.push({ seq, sender });
  }

  #text(): string {
    this.#texts += 1;
    return `text ${this.#texts}`;
  }
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index % list.length];
  if (item === undefined) throw new Error('nothing to choose from');
  return item;
}

const refusals: ReadonlySet<unknown> = new Set([
  'NOT_FOUND',
  'FORBIDDEN',
  'FAILED_PRECONDITION',
  'INVALID_ARGUMENT',
]);

/** What nobody may do, or what makes no sense, is refused; anything else should not fail. */
function refusedRightly(reason: unknown): void {
  if (reason instanceof TestFault && refusals.has(reason.code)) return;
  throw reason;
}
