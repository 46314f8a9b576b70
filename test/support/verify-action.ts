import { BrokenPromise } from './broken-promise.ts';
import type { Recording } from './recording.ts';
import { TestFault, type TestSocket, type TestUser } from './clients.ts';
import { inboxDocuments, pullDocument, type ShownEvent } from './replica-documents.ts';
import type { Replica, Rules } from './replica.ts';
import { checkConsistent, differences, snapshot, type Snapshot } from './snapshot.ts';

/** How often each kind of event came: so that a run can tell what it has tried. */
export type Tally = Map<string, number>;

export interface VerifyOptions {
  /** How many events a pull asks for at a time. */
  readonly pullEvents?: number;
  /** Also takes a snapshot in the midst of the act, as a client does that starts then. */
  readonly isWatchedMeanwhile?: boolean;
}

const withinMs = 10_000;
const eventsShown = 12;

/** A user's device: a replica kept up to date by one inbox subscription after the other. */
export class Mirror {
  readonly replica: Replica;
  readonly #tally: Tally;
  readonly #history: ShownEvent[] = [];
  /** `own` shows what differs from viewer to viewer, too. */
  readonly #document: (typeof inboxDocuments)['own'];
  #cursor: string;
  #socket: TestSocket | null = null;
  #recording: Recording<{ inbox: ShownEvent }> | null = null;
  #taken = 0;

  constructor({ replica, cursor }: Snapshot, tally: Tally, document: 'own' | 'shared') {
    this.replica = replica;
    this.#cursor = cursor;
    this.#tally = tally;
    this.#document = inboxDocuments[document];
  }

  get isConnected(): boolean {
    return this.#recording !== null;
  }

  /** Goes on from the last event that was processed. */
  async connect(): Promise<void> {
    if (this.#recording) return;
    this.#taken = 0;
    this.#socket = await this.replica.user.socket();
    this.#recording = this.#socket.subscribe(this.#document, { after: this.#cursor });
  }

  /** What came and was not processed is lost to it. */
  async disconnect(): Promise<void> {
    const socket = this.#socket;
    this.#socket = this.#recording = null;
    await socket?.close();
  }

  /** Applies what has come, at most so many events; comes back where the server has gone. */
  async process(eventsMax = Infinity): Promise<void> {
    for (let count = 0; count < eventsMax; count += 1) {
      const event = this.#recording?.events[this.#taken]?.inbox;
      if (!event) break;
      this.#taken += 1;
      this.#history.push(event);
      this.#tally.set(event.__typename, (this.#tally.get(event.__typename) ?? 0) + 1);
      await this.replica.apply(event).catch((error: unknown) => {
        throw this.#told(error instanceof Error ? error.message : String(error));
      });
      this.#cursor = event.cursor;
    }
    const { end, errors } = this.#recording ?? {};
    if (errors?.[0]) throw this.#told(`error ${JSON.stringify(errors)}`);
    if (end === undefined || eventsMax !== Infinity) return;
    if (end !== 'closed') throw this.#told(`the subscription has ended: ${end}`);
    await this.disconnect();
    await this.connect();
  }

  /** Processes until the replica is as the queries answer. @throws {BrokenPromise} with the difference. */
  async settle(fresh: Snapshot): Promise<void> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      await this.process();
      const found = differences(this.replica, fresh);
      if (found.length === 0) return;
      const recording = this.#recording;
      const hasMore = (): boolean =>
        (recording?.events.length ?? 0) > this.#taken || recording?.end !== undefined;
      const leftMs = deadline - Date.now();
      const isOver = await recording?.until(hasMore, '', leftMs).then(
        () => false,
        () => true,
      );
      if ((isOver && !hasMore()) || leftMs <= 0)
        throw this.#told(`live, after ${withinMs} ms:\n${text(found)}`);
    }
  }

  #told(what: string): BrokenPromise {
    const last = this.#history.slice(-eventsShown).map((event) => JSON.stringify(event));
    const { username, id } = this.replica.user;
    return new BrokenPromise(`to ${username} (${id}) ${what}\nlast events:\n${last.join('\n')}`);
  }
}

/**
 * Users of a server and what they see. Whatever is done to them, applying the events that come must give what the queries
 * answer: on devices that listen meanwhile, and on such that pull afterwards.
 */
export class World {
  readonly rules: Rules;
  readonly tally: Tally;
  readonly mirrors: Mirror[] = [];
  /** As of the end of the last `verify`. */
  #snapshots: Snapshot[] = [];

  constructor(rules: Rules, tally: Tally = new Map()) {
    this.rules = rules;
    this.tally = tally;
  }

  /** Each user's device, and listening. Nothing may happen to them meanwhile. */
  async watch(users: readonly TestUser[]): Promise<void> {
    for (const user of users) {
      const shot = await snapshot(user, this.rules);
      this.#snapshots.push(await snapshot(user, this.rules));
      // Whoever sees the same shares the work: both ways have to be right.
      const document = this.mirrors.length % 2 === 0 ? 'shared' : 'own';
      const mirror = new Mirror(shot, this.tally, document);
      this.mirrors.push(mirror);
      await mirror.connect();
    }
  }

  /**
   * Acts, and sees that events bring every user from what they saw before to what they see afterwards; live only those
   * whose device is connected.
   * @throws {BrokenPromise} with what is different.
   */
  async verify<T>(act: () => Promise<T>, options: VerifyOptions = {}): Promise<T> {
    const before = this.#snapshots;
    const acting = act();
    const meanwhile: Snapshot[] = [];
    if (options.isWatchedMeanwhile) {
      acting.catch(() => undefined);
      for (const { replica } of before)
        meanwhile.push(await snapshotAmidst(replica.user, this.rules));
    }
    const result = await acting;
    const fresh = await Promise.all(
      before.map(({ replica }) => snapshot(replica.user, this.rules)),
    );
    checkConsistent(fresh);
    await Promise.all(
      this.mirrors.map(async (mirror, index) => {
        if (mirror.isConnected) await mirror.settle(fresh[index] ?? failNoUser());
      }),
    );
    for (const shots of [before, meanwhile]) {
      await Promise.all(
        shots.map((shot, index) => pullUp(shot, fresh[index] ?? failNoUser(), options.pullEvents)),
      );
    }
    this.#snapshots = fresh;
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const mirror of this.mirrors) await mirror.disconnect();
  }
}

/** A snapshot while things happen: who asks for what they have just been removed from asks again. */
async function snapshotAmidst(user: TestUser, rules: Rules): Promise<Snapshot> {
  for (;;) {
    try {
      return await snapshot(user, rules);
    } catch (error) {
      if (!(error instanceof TestFault && error.code === 'NOT_FOUND')) throw error;
    }
  }
}

/** Brings a snapshot up to date by the pull form. @throws {BrokenPromise} */
async function pullUp({ replica, cursor }: Snapshot, fresh: Snapshot, first = 200): Promise<void> {
  const deadline = Date.now() + withinMs;
  const told: string[] = [];
  const document = pullDocument(first);
  for (let after = cursor; ;) {
    const { inbox } = (await replica.user.query(document, { after })).viewer;
    // Notices of large groups are not of the log: they come beside the last page of it.
    const logged = inbox.events.filter(({ __typename: type }) => type !== 'ConversationAdvanced');
    if (logged.length > first) {
      throw new BrokenPromise(`a page of ${logged.length} where ${first} were asked for`);
    }
    for (const event of inbox.events) {
      told.push(JSON.stringify(event));
      await replica.apply(event).catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        throw new BrokenPromise(`pulled by ${replica.user.username}: ${why}\n${text(told)}`);
      });
    }
    after = inbox.endCursor;
    if (inbox.hasMore && Date.now() < deadline) continue;
    const found = differences(replica, fresh);
    if (found.length === 0) return;
    if (Date.now() > deadline) {
      const { username } = replica.user;
      throw new BrokenPromise(`pulled by ${username}:\n${text(found)}\nevents:\n${text(told)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function text(lines: readonly string[]): string {
  return lines.slice(-2 * eventsShown).join('\n');
}

function failNoUser(): never {
  throw new Error('a user without a snapshot');
}
