import {
  AddMembersDocument,
  EditMessageDocument,
  MarkReadDocument,
  RecallMessageDocument,
  RemoveMemberDocument,
  SendMessageDocument,
} from '../../client/generated/documents.ts';
import { TestFault } from '../support/clients.ts';
import type { Call, Result } from '../support/history.ts';
import { conversationId, numericId, type InboxClient } from './inbox-client.ts';
import { pause, type Random } from './random.ts';

/** A conversation of the load, and who is in it as far as the load knows. */
export interface Place {
  readonly id: string;
  readonly owner: InboxClient | null;
  /** Those whom the owner removes and adds. */
  readonly guests: readonly InboxClient[];
  readonly members: Set<InboxClient>;
}

/** Between two calls of one client, at most. */
const idleMs = 25;
/** After that a client takes an answer for lost. */
const patienceMs = 800;

/** One client that sends, edits, recalls, reads and, where it owns a group, adds and removes: one call after the other. */
export class Load {
  readonly #client: InboxClient;
  readonly #places: readonly Place[];
  readonly #random: Random;
  readonly #calls: Call[];
  readonly #sent: { place: Place; seq: number }[] = [];
  #keys = 0;
  #isPaused = true;
  #running: Promise<void> = Promise.resolve();
  #failure: Error | null = null;
  /** Calls under way, also those whose answer nobody waits for any more. */
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(
    client: InboxClient,
    deps: { places: readonly Place[]; random: Random; calls: Call[] },
  ) {
    this.#client = client;
    this.#places = deps.places;
    this.#random = deps.random;
    this.#calls = deps.calls;
  }

  /** Begins, or goes on; one that runs already goes on. */
  start(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#running = this.#run().catch((error: unknown) => {
      this.#failure = error instanceof Error ? error : new Error(String(error));
    });
  }

  /** Ends when the call under way is answered: the server has to be there. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    await this.#running;
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    if (this.#failure) throw this.#failure;
  }

  isIn(place: Place): boolean {
    return place.members.has(this.#client);
  }

  async #run(): Promise<void> {
    while (!this.#isPaused) {
      const mine = this.#places.filter(({ members }) => members.has(this.#client));
      const place = this.#random.pick(mine);
      if (place) await this.#act(place);
      await pause(this.#random.between(1, idleMs));
    }
  }

  async #act(place: Place): Promise<void> {
    const dice = this.#random.next();
    if (dice < 0.7) await this.send(place);
    else if (dice < 0.84) await this.#markRead(place);
    else if (dice < 0.96) await this.#change(dice < 0.92 ? 'edit' : 'recall');
    else if (place.owner === this.#client) await this.#exchangeGuest(place);
  }

  /** Until it is known what became of it; and now and then once more, or on several nodes at once. */
  async send(place: Place): Promise<void> {
    const text = `${this.#client.user.username} ${(this.#keys += 1)}`;
    const key = `key-${this.#keys}`;
    const input = {
      conversationId: place.id,
      clientMessageId: key,
      content: { text: { text } },
    };
    const once = async (): Promise<{ result: Result; seq: number | null }> => {
      const { result, data } = await this.#attempt(() =>
        this.#client.user.query(SendMessageDocument, { input }),
      );
      const seq = data?.sendMessage.message.seq ?? null;
      this.#note(place, { kind: 'send', key, text, result, seq });
      return { result, seq };
    };
    for (let isAgain = false; ;) {
      const atOnce = this.#random.chance(0.03) ? 3 : 1;
      const answers = await Promise.all(Array.from({ length: atOnce }, once));
      const seq = answers.find((answer) => answer.result === 'ok')?.seq ?? null;
      if (seq === null && answers.some(({ result }) => result === 'info')) {
        await pause(this.#random.between(20, 150));
        continue;
      }
      if (seq !== null && !isAgain && this.#random.chance(0.1)) {
        isAgain = true;
        continue;
      }
      if (seq !== null) this.#sent.push({ place, seq });
      return;
    }
  }

  async #change(kind: 'edit' | 'recall'): Promise<void> {
    const target = this.#random.pick(this.#sent.slice(-10));
    if (!target) return;
    const { place, seq } = target;
    const text = kind === 'edit' ? `edited ${(this.#keys += 1)}` : null;
    const { result, data } = await this.#attempt(async () => {
      const input = { conversationId: place.id, seq };
      if (text === null) {
        return (await this.#client.user.query(RecallMessageDocument, { input })).recallMessage;
      }
      const content = { text: { text } };
      const answer = await this.#client.user.query(EditMessageDocument, {
        input: { ...input, content },
      });
      return answer.editMessage;
    });
    const changeSeq = data?.message.changeSeq ?? null;
    this.#note(place, { kind, seq, text, result, changeSeq });
  }

  async #markRead(place: Place): Promise<void> {
    const seq = this.#client.lastSeqs.get(conversationId(place.id)) ?? 0;
    const input = { conversationId: place.id, seq };
    const { result, data } = await this.#attempt(() =>
      this.#client.user.query(MarkReadDocument, { input }),
    );
    const readSeq = data?.markRead.member.readSeq ?? null;
    this.#note(place, { kind: 'read', seq, result, readSeq });
  }

  async #exchangeGuest(place: Place): Promise<void> {
    const guest = this.#random.pick(place.guests);
    if (!guest) return;
    const isMember = place.members.has(guest);
    const askedAtMs = Date.now();
    const { result } = await this.#attempt(async () => {
      const { user } = this.#client;
      const input = { conversationId: place.id };
      if (isMember) {
        await user.query(RemoveMemberDocument, { input: { ...input, userId: guest.user.id } });
      } else {
        await user.query(AddMembersDocument, { input: { ...input, userIds: [guest.user.id] } });
      }
    });
    const subject = String(numericId('User', guest.user.id));
    this.#note(place, { kind: isMember ? 'remove' : 'join', subject, result, askedAtMs });
    // Where the outcome is unknown, adding again does no harm and removing a stranger is refused.
    if (isMember) place.members.delete(guest);
    else if (result === 'ok') place.members.add(guest);
  }

  /** What became of a call, as far as a client knows that does not wait for ever. */
  async #attempt<T>(call: () => Promise<T>): Promise<Outcome<T>> {
    const outcome = outcomeOf(call);
    const settled = outcome.catch(() => undefined);
    this.#underWay.add(settled);
    void settled.then(() => this.#underWay.delete(settled));
    let timer: NodeJS.Timeout | undefined;
    const lost = new Promise<Outcome<T>>((resolve) => {
      timer = setTimeout(() => resolve({ result: 'info', data: null }), patienceMs);
    });
    return Promise.race([outcome, lost]).finally(() => clearTimeout(timer));
  }

  #note(place: Place, call: OwnCall): void {
    const user = String(this.#client.userId);
    this.#calls.push({ user, conversation: conversationId(place.id), ...call });
  }
}

type OwnCall = Call extends infer One
  ? One extends Call
    ? Omit<One, 'user' | 'conversation'>
    : never
  : never;

interface Outcome<T> {
  readonly result: Result;
  readonly data: T | null;
}

/** Codes that say for sure that nothing was done, and that clients meet here. */
const refusals = new Set<unknown>(['NOT_FOUND', 'FORBIDDEN', 'FAILED_PRECONDITION']);

/** @throws where the server answers what it must not answer here. */
async function outcomeOf<T>(call: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { result: 'ok', data: await call() };
  } catch (error) {
    if (error instanceof TestFault) {
      if (refusals.has(error.code)) return { result: 'fail', data: null };
      if (error.code !== 'UNAVAILABLE') throw error;
    }
    // Cut off, or no answer in JSON: it may have been done or not.
    return { result: 'info', data: null };
  }
}
