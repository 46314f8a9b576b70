import {
  AddMembersDocument,
  EditMessageDocument,
  HistoryDocument,
  MarkReadDocument,
  RecallMessageDocument,
  RemoveMemberDocument,
  SendMessageDocument,
} from '../../client/generated/documents.ts';
import type { Call, Result } from '../support/history.ts';
import { Attempts } from './attempts.ts';
import { conversationId, numericId, type InboxClient } from './inbox-client.ts';
import type { Place } from './places.ts';
import { pause, type Random } from './random.ts';

/** So long after an answer was lost, what was asked may be done by a node that stood still. */
const doubtfulMs = 30_000;

/** Some places in which a client does one thing after the other. */
interface Lane {
  readonly places: readonly Place[];
  readonly sent: { place: Place; seq: number }[];
}

export interface LoadDeps {
  readonly places: readonly Place[];
  readonly random: Random;
  /** Each place is a lane of its own; else all of them are one. */
  readonly hasLanes: boolean;
  /** Between two calls in a lane, at most; default: 25. */
  readonly idleMs?: number;
  readonly note: (call: Call) => void;
}

/** One client that sends, edits, recalls, reads and, where it owns a group, adds and removes: in each lane one call after the other. */
export class Load {
  readonly #client: InboxClient;
  readonly #deps: LoadDeps;
  readonly #random: Random;
  readonly #lanes: readonly Lane[];
  /** Guests who might be added once more, and until when. */
  readonly #doubtfulUntilMs = new Map<InboxClient, number>();
  #keys = 0;
  #isPaused = true;
  #running: Promise<unknown> = Promise.resolve();
  #failure: Error | null = null;
  readonly #attempts = new Attempts();

  constructor(client: InboxClient, deps: LoadDeps) {
    this.#client = client;
    this.#deps = deps;
    this.#random = deps.random;
    const mine = deps.places.filter(
      ({ members, guests }) => members.has(client) || guests.includes(client),
    );
    const shares = deps.hasLanes ? mine.map((place) => [place]) : [mine];
    this.#lanes = shares.map((places) => ({ places, sent: [] }));
  }

  /** Begins, or goes on; one that runs already goes on. */
  start(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    const running = this.#lanes.map((lane) =>
      this.#run(lane).catch((error: unknown) => {
        this.#failure = error instanceof Error ? error : new Error(String(error));
      }),
    );
    this.#running = Promise.all(running);
  }

  /** Ends when the call under way is answered: the server has to be there. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    await this.#running;
    await this.#attempts.over();
    if (this.#failure) throw this.#failure;
  }

  isIn(place: Place): boolean {
    return place.members.has(this.#client);
  }

  async #run(lane: Lane): Promise<void> {
    while (!this.#isPaused) {
      const mine = lane.places.filter(({ members }) => members.has(this.#client));
      const place = this.#random.pick(mine);
      if (place) await this.#act(lane, place);
      await pause(this.#random.between(1, this.#deps.idleMs ?? 25));
    }
  }

  async #act(lane: Lane, place: Place): Promise<void> {
    const dice = this.#random.next();
    if (dice < 0.7) await this.send(place);
    else if (dice < 0.84) await this.#markRead(place);
    else if (dice < 0.96) await this.#change(lane, dice < 0.92 ? 'edit' : 'recall');
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
      const { result, data } = await this.#attempts.make(() =>
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
      if (seq !== null) this.#sentIn(place).push({ place, seq });
      return;
    }
  }

  #sentIn(place: Place): Lane['sent'] {
    const lane = this.#lanes.find(({ places }) => places.includes(place));
    if (!lane) throw new Error(`no lane of ${place.id}`);
    return lane.sent;
  }

  async #change({ sent }: Lane, kind: 'edit' | 'recall'): Promise<void> {
    const target = this.#random.pick(sent.slice(-10));
    if (!target) return;
    const { place, seq } = target;
    const text = kind === 'edit' ? `edited ${(this.#keys += 1)}` : null;
    const { result, data } = await this.#attempts.make(async () => {
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
    const { result, data } = await this.#attempts.make(() =>
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
    const { result } = await this.#attempts.make(async () => {
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
    if (!isMember && result === 'ok') place.members.add(guest);
    if (!isMember && result === 'info') this.#doubtfulUntilMs.set(guest, Date.now() + doubtfulMs);
    if (!isMember) return;
    place.members.delete(guest);
    const isDoubtful = (this.#doubtfulUntilMs.get(guest) ?? 0) > Date.now();
    if (result === 'ok' && !isDoubtful) await this.#intrude(place, guest);
  }

  /** Whoever was removed tries to go on, at any node. */
  async #intrude(place: Place, guest: InboxClient): Promise<void> {
    const conversation = conversationId(place.id);
    const user = String(guest.userId);
    const note = (what: string, result: Result): void =>
      this.#deps.note({ kind: 'intrude', user, conversation, what, result });
    const read = await this.#attempts.make(() =>
      guest.user.query(HistoryDocument, { conversationId: place.id, last: 1 }),
    );
    const isShown = read.data?.conversation != null;
    note('history', read.result === 'ok' && !isShown ? 'fail' : read.result);
    const key = `intruding-${(this.#keys += 1)} of ${this.#client.user.username}`;
    const input = {
      conversationId: place.id,
      clientMessageId: key,
      content: { text: { text: key } },
    };
    const sent = await this.#attempts.make(() => guest.user.query(SendMessageDocument, { input }));
    note('send', sent.result);
    // It may be under way still when the guest has come back.
    const seq = sent.data?.sendMessage.message.seq ?? null;
    const { result } = sent;
    this.#deps.note({ kind: 'send', user, conversation, key, text: key, result, seq });
  }

  #note(place: Place, call: OwnCall): void {
    const user = String(this.#client.userId);
    this.#deps.note({ user, conversation: conversationId(place.id), ...call });
  }
}

type OwnCall = Call extends infer One
  ? One extends Call
    ? Omit<One, 'user' | 'conversation'>
    : never
  : never;
