import path from 'node:path';
import { CreateGroupDocument } from '../../client/generated/documents.ts';
import { operatorKeyIn } from '../../src/domain/app/app.ts';
import { faultCodes, type FaultCode } from '../../src/lib/fault.ts';
import { post, TestFault, type Reachable, type TestUser } from '../support/clients.ts';
import { entriesOf, packetOf, type LedgerFigures } from '../support/money.ts';
import { pause, type Random } from './random.ts';
import { settledIn, untilAvailable } from './settle-in.ts';

const endowment = 1_000_000;
/** All money arrives within this. */
const calmWithinMs = 60_000;
/** So many shares are given as are asked for, or rather fewer: to come too late is common. */
const sharesPerCall = 0.6;
/** Claims go to the newest packets, so that many meet at each. */
const packetsOpen = 6;

interface Claimed {
  readonly status: string;
  readonly amount: number | null;
}

const claimText = `mutation ($id: ID!) { claimRedPacket(redPacketId: $id) { status claim { amount } } }`;
const sendText = `mutation ($input: SendRedPacketInput!) { sendRedPacket(input: $input) { redPacket { id } } }`;
const creditText = `mutation ($input: CreditWalletInput!) { creditWallet(input: $input) { balance } }`;
const auditText = '{ ledger { isSound issued wallets openPackets inFlight problems } }';

export interface MoneyCrowdDeps {
  /** Where the server is; of several nodes perhaps another one each time. */
  readonly server: Reachable;
  /** Whether there is nobody to ask any more. */
  readonly isGone: () => boolean;
  /** The server's data folder. */
  readonly folder: string;
  readonly random: Random;
  /** How long one waits between two calls, at most; default: not at all. */
  readonly idleMs?: number;
  /** How many there are; default: a dozen. */
  readonly people?: number;
  /** Of a packet; default: 10. */
  readonly sharesMax?: number;
}

/**
 * People with money in one group, who send and claim red packets; what they were answered, and an auditor who looks at
 * the books all the while.
 */
export class MoneyCrowd {
  readonly anomalies: string[] = [];
  /** Answers to claims, good or bad. */
  claims = 0;
  /** Claims that were granted. */
  granted = 0;
  audits = 0;
  readonly #deps: MoneyCrowdDeps;
  readonly #random: Random;
  readonly #people: number;
  readonly #sharesMax: number;
  readonly #users: TestUser[] = [];
  readonly #packets: string[] = [];
  /** What each user was answered of each packet. */
  readonly #shares = new Map<string, number>();
  #group = '';
  #isRunning = false;
  #loops: Promise<void>[] = [];
  #sent = 0;

  constructor(deps: MoneyCrowdDeps) {
    this.#deps = deps;
    this.#random = deps.random;
    this.#people = deps.people ?? Number(process.env['MONEY_USERS'] ?? 12);
    this.#sharesMax = deps.sharesMax ?? 10;
  }

  /** Once, while the server answers. */
  async start(): Promise<void> {
    await this.#populate();
  }

  run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#loops = [...this.#users.map((user) => this.#live(user)), this.#watch()];
  }

  /** Ends when what is under way is answered. */
  async pause(): Promise<void> {
    this.#isRunning = false;
    await Promise.all(this.#loops);
  }

  /** Waits until all money has arrived, and compares what clients were answered with what is there. */
  async check(): Promise<readonly string[]> {
    const deadline = Date.now() + calmWithinMs;
    for (;;) {
      const ledger = await this.#auditCertainly(deadline);
      const isCalm = ledger.inFlight === '0' && ledger.openPackets === '0';
      if (isCalm || Date.now() > deadline) {
        if (!isCalm) this.anomalies.push(`not calm: ${JSON.stringify(ledger)}`);
        const issued = String(this.#people * endowment);
        if (ledger.issued !== issued || ledger.wallets !== issued)
          this.anomalies.push(`${issued} were given, ${JSON.stringify(ledger)}`);
        break;
      }
      await pause(200);
    }
    await Promise.all(this.#users.map((user) => this.#checkWallet(user)));
    return this.anomalies;
  }

  async #populate(): Promise<void> {
    const names = Array.from({ length: this.#people }, (_, index) => `owner_${index}`);
    this.#users.push(
      ...(await Promise.all(names.map((name) => settledIn(this.#deps.server, name)))),
    );
    const [owner, ...others] = this.#users;
    if (!owner) throw new Error('nobody');
    const memberIds = others.map(({ id }) => id);
    const input = { clientRequestId: 'group', title: 'Group', memberIds };
    const made = await untilAvailable(() => owner.query(CreateGroupDocument, { input }));
    this.#group = made.createGroup.conversation.id;
    const key = await this.#operatorKey();
    for (const { id } of this.#users) {
      const gift = { userId: id, amount: endowment, key: 'endowment', reason: 'to begin with' };
      await untilAvailable(async () => {
        const { errors } = await post(this.#deps.server, creditText, { input: gift }, key);
        if (errors) throw new TestFault(errors);
      });
    }
  }

  async #live(user: TestUser): Promise<void> {
    const sends = sharesPerCall / this.#sharesMax;
    while (this.#isRunning) {
      const recent = this.#packets.slice(-packetsOpen);
      const id = this.#random.pick(recent);
      if (id === undefined || this.#random.chance(sends)) await this.#send(user);
      else await this.#claim(user, id);
      const { idleMs = 0 } = this.#deps;
      if (idleMs > 0) await pause(this.#random.between(0, idleMs));
    }
  }

  async #send(user: TestUser): Promise<void> {
    const count = this.#random.between(1, this.#sharesMax);
    const isLucky = this.#random.chance(0.7);
    const input = {
      conversationId: this.#group,
      clientMessageId: `packet-${(this.#sent += 1)}`,
      kind: isLucky ? 'LUCKY' : 'EQUAL',
      count,
      total: count * this.#random.between(1, 200),
    };
    const answer = await this.#certainly<{ sendRedPacket: { redPacket: { id: string } } }>(
      user,
      sendText,
      { input },
    );
    if (answer) this.#packets.push(answer.sendRedPacket.redPacket.id);
  }

  async #claim(user: TestUser, id: string): Promise<void> {
    const answer = await this.#certainly<{
      claimRedPacket: { status: string; claim: { amount: number } | null };
    }>(user, claimText, { id });
    if (!answer) return;
    const { status, claim } = answer.claimRedPacket;
    this.#note(`${user.id} ${id}`, { status, amount: claim?.amount ?? null });
  }

  #note(key: string, { status, amount }: Claimed): void {
    this.claims += 1;
    const known = this.#shares.get(key);
    if (amount === null) {
      if (known !== undefined) this.anomalies.push(`${key}: ${status} after ${known}`);
    } else if (known === undefined) {
      this.#shares.set(key, amount);
      this.granted += 1;
    } else if (status === 'CLAIMED') this.anomalies.push(`${key}: twice`);
    else if (known !== amount) this.anomalies.push(`${key}: ${amount} after ${known}`);
  }

  /** Asks until there is an answer that is no accident; null for a fault that stays. */
  async #certainly<T>(user: TestUser, text: string, variables: object): Promise<T | null> {
    for (;;) {
      try {
        const { data, errors } = await post<T, object>(
          this.#deps.server,
          text,
          variables,
          user.auth.accessToken,
        );
        if (data && !errors) return data;
        const code = errors?.[0]?.extensions?.['code'] as FaultCode;
        if (code === 'INTERNAL') this.anomalies.push(`INTERNAL: ${new TestFault(errors ?? [])}`);
        if (!faultCodes[code].retryable || code === 'INTERNAL') return null;
      } catch {
        // The server is away.
      }
      if (!this.#isRunning && this.#deps.isGone()) return null;
      await pause(20);
    }
  }

  /** The books must be right at every moment at which anybody looks. */
  async #watch(): Promise<void> {
    while (this.#isRunning) {
      const began = performance.now();
      await this.#audit().catch(() => undefined);
      // It reads every row: what is audited must get something done in between.
      await pause(Math.max(150, 4 * (performance.now() - began)));
    }
  }

  /** Nodes that were cut off a moment ago may not reach the shards yet. */
  async #auditCertainly(deadline: number): Promise<LedgerFigures> {
    for (;;) {
      try {
        return await this.#audit();
      } catch (error) {
        if (Date.now() > deadline) throw error;
      }
      await pause(100);
    }
  }

  async #audit(): Promise<LedgerFigures> {
    const key = await this.#operatorKey();
    const { data, errors } = await post<{ ledger: LedgerFigures }, object>(
      this.#deps.server,
      auditText,
      {},
      key,
    );
    const code = errors?.[0]?.extensions?.['code'];
    if (code === 'INTERNAL') this.anomalies.push(`audit: ${JSON.stringify(errors)}`);
    if (!data?.ledger) throw new Error(`no audit: ${JSON.stringify(errors)}`);
    this.audits += 1;
    for (const problem of data.ledger.problems) this.anomalies.push(`audit: ${problem}`);
    return data.ledger;
  }

  #operatorKey(): Promise<string> {
    return operatorKeyIn(path.join(this.#deps.folder, 'operator-key'));
  }

  /** One entry for each share that was answered, of that amount; none that was not. */
  async #checkWallet(user: TestUser): Promise<void> {
    const entries = await untilAvailable(() => entriesOf(user));
    const shares = new Map<string, number>();
    for (const { kind, amount, redPacket } of entries) {
      if (kind !== 'RED_PACKET_CLAIMED') continue;
      const key = `${user.id} ${redPacket?.id}`;
      if (shares.has(key)) this.anomalies.push(`${key}: booked twice`);
      shares.set(key, amount);
      if (!this.#shares.has(key)) {
        // Their answer was lost with the server, and they did not ask again.
        const shown = (await packetOf(user, redPacket?.id ?? ''))?.myClaim?.amount;
        if (shown !== amount) this.anomalies.push(`${key}: ${amount} booked, ${shown} shown`);
      }
    }
    for (const [key, amount] of this.#shares) {
      if (!key.startsWith(`${user.id} `)) continue;
      if (shares.get(key) !== amount)
        this.anomalies.push(`${key}: ${amount} answered, ${shares.get(key)} booked`);
    }
  }
}
