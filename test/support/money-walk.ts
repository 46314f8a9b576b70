import fc from 'fast-check';
import { vi } from 'vitest';
import { codeOf, createGroup, newKey, type Chat } from './chat.ts';
import type { TestUser } from './clients.ts';
import { balanceOf, claim, credit, entriesOf, packetOf, sendPacket } from './money.ts';

/** Something to do with money; users and packets by their place, wrapped around. */
export type Deed =
  | { readonly kind: 'credit'; readonly user: number; readonly amount: number }
  | {
      readonly kind: 'send';
      readonly user: number;
      readonly isLucky: boolean;
      readonly share: number;
      readonly count: number;
      /** At once, with one key. */
      readonly tries: number;
    }
  | { readonly kind: 'claim'; readonly user: number; readonly packet: number }
  /** All users at once, each so often. */
  | { readonly kind: 'race'; readonly packet: number; readonly tries: number }
  /** All users at once, at the moment at which the packet's time is over. */
  | { readonly kind: 'expire'; readonly packet: number };

export const userCount = 4;

const user = fc.nat({ max: userCount - 1 });
const packet = fc.nat({ max: 7 });

export const deeds: fc.Arbitrary<Deed[]> = fc.array(
  fc.oneof(
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('credit' as const),
        user,
        amount: fc.integer({ min: 1, max: 5_000 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('send' as const),
        user,
        isLucky: fc.boolean(),
        share: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 500 })),
        count: fc.integer({ min: 1, max: 6 }),
        tries: fc.integer({ min: 1, max: 3 }),
      }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('claim' as const), user, packet }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('race' as const),
        packet,
        tries: fc.integer({ min: 1, max: 2 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire' as const), packet }) },
  ),
  { minLength: 5, maxLength: 25 },
);

interface ReferencePacket {
  readonly id: string;
  readonly sender: number;
  readonly isLucky: boolean;
  readonly total: number;
  readonly count: number;
  readonly expiresAtMs: number;
  readonly shares: Map<number, number>;
  isExpired: boolean;
}

/** The server did what the reference ledger does not. */
export class BrokenBooks extends Error {
  override name = 'BrokenBooks';
}

/**
 * Some people in a group, what they do with money, and a ledger so small that one sees that it is right: balances, and who
 * took what of which packet. After each deed the server's wallets and packets must be those of the ledger.
 */
export class MoneyWalk {
  readonly #chat: Chat;
  readonly #people: readonly TestUser[];
  readonly #group: string;
  readonly #balances: number[] = new Array<number>(userCount).fill(0);
  readonly #packets: ReferencePacket[] = [];

  constructor(chat: Chat, people: readonly TestUser[], group: string) {
    this.#chat = chat;
    this.#people = people;
    this.#group = group;
  }

  static async begin(chat: Chat): Promise<MoneyWalk> {
    const people = await chat.people(userCount);
    const group = await createGroup(people[0], people.slice(1));
    return new MoneyWalk(chat, people, group);
  }

  /** @throws {BrokenBooks} */
  async run(all: readonly Deed[]): Promise<void> {
    for (const deed of all) {
      try {
        await this.#do(deed);
        await this.#compare();
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new BrokenBooks(`${JSON.stringify(deed)}: ${reason}`, { cause: error });
      }
    }
  }

  async #do(deed: Deed): Promise<void> {
    if (deed.kind === 'credit') return this.#credit(deed.user, deed.amount);
    if (deed.kind === 'send') return this.#send(deed);
    const packet = this.#packets[deed.packet % Math.max(1, this.#packets.length)];
    if (!packet) return;
    if (deed.kind === 'claim') return this.#claimAll(packet, [deed.user]);
    const everybody = this.#people.map((_person, index) => index);
    if (deed.kind === 'race') {
      return this.#claimAll(
        packet,
        everybody.flatMap((one) => new Array<number>(deed.tries).fill(one)),
      );
    }
    const leftMs = packet.expiresAtMs - this.#chat.clock.now();
    if (leftMs > 0) this.#chat.clock.shift(leftMs);
    this.#expireAll();
    return this.#claimAll(packet, everybody);
  }

  async #credit(index: number, amount: number): Promise<void> {
    const key = newKey();
    await Promise.all(
      [1, 2].map(() => credit(this.#chat.server, this.#person(index), amount, key)),
    );
    this.#add(index, amount);
  }

  async #send({
    user: sender,
    isLucky,
    share,
    count,
    tries,
  }: Deed & { kind: 'send' }): Promise<void> {
    const total = isLucky && share > 1 ? share * count - 1 : share * count;
    const packet = {
      total,
      count,
      clientMessageId: newKey(),
      kind: isLucky ? 'LUCKY' : 'EQUAL',
    } as const;
    const send = () => sendPacket(this.#person(sender), this.#group, packet);
    if ((this.#balances[sender] ?? 0) < total) {
      const code = await codeOf(send());
      if (code !== 'FAILED_PRECONDITION') throw new Error(`sent without money: ${code}`);
      return;
    }
    const sent = await Promise.all(Array.from({ length: tries }, send));
    const [first] = sent;
    if (!first || new Set(sent.map(({ redPacket }) => redPacket.id)).size !== 1)
      throw new Error('sent twice');
    if (sent.filter(({ isDuplicate }) => !isDuplicate).length !== 1) throw new Error('new twice');
    const expiresAtMs = Date.parse(first.redPacket.expiresAt);
    const { id } = first.redPacket;
    this.#packets.push({
      id,
      sender,
      isLucky,
      total,
      count,
      expiresAtMs,
      shares: new Map(),
      isExpired: false,
    });
    this.#add(sender, -total);
  }

  /** All at once; who gets the last shares is theirs to say, how many do is not. */
  async #claimAll(packet: ReferencePacket, users: readonly number[]): Promise<void> {
    const { shares, count, isExpired } = packet;
    const before = new Map(shares);
    const left = isExpired ? 0 : count - before.size;
    const answers = await Promise.all(users.map((one) => claim(this.#person(one), packet.id)));
    for (const [place, { status, claim: share }] of answers.entries()) {
      const one = users[place] ?? 0;
      const over = isExpired && before.size < count ? 'EXPIRED' : 'EXHAUSTED';
      if (status === 'CLAIMED') {
        if (shares.has(one)) throw new Error('one share too many for somebody');
        shares.set(one, share?.amount ?? 0);
        this.#add(one, share?.amount ?? 0);
      } else if (status !== 'ALREADY_CLAIMED' && status !== over)
        throw new Error(`${status}, not ${over}`);
    }
    for (const [place, { status, claim: share }] of answers.entries()) {
      const own = shares.get(users[place] ?? 0);
      const isWinner = status === 'CLAIMED' || status === 'ALREADY_CLAIMED';
      if (isWinner !== (own !== undefined)) throw new Error(`${status} with ${own}`);
      if (own !== (share?.amount ?? undefined)) throw new Error(`${share?.amount} after ${own}`);
    }
    const asked = new Set(users.filter((one) => !before.has(one)));
    const granted = shares.size - before.size;
    if (granted !== Math.min(left, asked.size))
      throw new Error(`${granted} shares of ${left} for ${asked.size}`);
    this.#checkShares(packet);
  }

  #checkShares({ shares, total, count, isLucky }: ReferencePacket): void {
    const amounts = [...shares.values()];
    const taken = amounts.reduce((sum, amount) => sum + amount, 0);
    if (amounts.some((amount) => amount < 1)) throw new Error('a share of nothing');
    if (!isLucky && amounts.some((amount) => amount !== total / count)) throw new Error('unequal');
    const left = count - amounts.length;
    if (left === 0 ? taken !== total : total - taken < left)
      throw new Error(`took ${taken} of ${total}`);
  }

  /** Of all whose time is over what is left goes back. */
  #expireAll(): void {
    const now = this.#chat.clock.now();
    for (const packet of this.#packets) {
      const { expiresAtMs, shares, count, total, sender } = packet;
      if (packet.isExpired || expiresAtMs > now || shares.size === count) continue;
      packet.isExpired = true;
      const taken = [...shares.values()].reduce((sum, amount) => sum + amount, 0);
      this.#add(sender, total - taken);
    }
  }

  /** Credits come a moment after their cause. */
  async #compare(): Promise<void> {
    await vi.waitFor(
      async () => {
        const balances = await Promise.all(this.#people.map(balanceOf));
        if (String(balances) !== String(this.#balances)) {
          throw new Error(`balances are ${String(balances)}, not ${String(this.#balances)}`);
        }
      },
      { timeout: 8_000, interval: 30 },
    );
  }

  /** That entries sum to balances, and packets show what was taken. @throws {BrokenBooks} */
  async settle(): Promise<void> {
    for (const [index, person] of this.#people.entries()) {
      const sum = (await entriesOf(person)).reduce((all, { amount }) => all + amount, 0);
      if (sum !== this.#balances[index]) throw new BrokenBooks(`entries sum to ${sum}`);
    }
    for (const { id, shares, total, isExpired, count } of this.#packets) {
      const shown = await packetOf(this.#person(0), id);
      const taken = [...shares.values()].reduce((all, amount) => all + amount, 0);
      const isSame =
        shown?.claimedTotal === taken &&
        shown.claims.length === shares.size &&
        shown.refundedTotal === (isExpired ? total - taken : 0) &&
        shown.state === (isExpired ? 'EXPIRED' : shares.size === count ? 'EXHAUSTED' : 'OPEN');
      if (!isSame) throw new BrokenBooks(`packet ${JSON.stringify(shown)} of ${taken} taken`);
    }
  }

  #person(index: number): TestUser {
    const person = this.#people[index];
    if (!person) throw new Error('nobody');
    return person;
  }

  #add(index: number, amount: number): void {
    this.#balances[index] = (this.#balances[index] ?? 0) + amount;
  }
}
