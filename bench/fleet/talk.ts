import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { present } from '../../src/lib/assert.ts';
import { demand, VoidRun } from '../runner/void.ts';
import { textOf } from '../servers/people.ts';
import type { Group } from '../load/fastim-groups.ts';
import { operation } from '../load/socket.ts';
import type { Seen } from './protocol.ts';
import type { Fleet, FleetTotalReport } from './fleet.ts';
import { chainOf } from './view.ts';

const send = operation(/* GraphQL */ `
  mutation Send($input: SendMessageInput!) {
    sendMessage(input: $input) {
      message {
        id
        seq
      }
    }
  }
`);

interface Sent {
  readonly id: string;
  readonly seq: number;
  readonly text: string;
}
interface Answer {
  readonly data?: { readonly sendMessage: { readonly message: Omit<Sent, 'text'> } } | null;
  readonly errors?: readonly { readonly extensions?: { readonly retryable?: boolean } }[];
}

/** Between two tries of one message. */
const retryMs = 25;
const triesMax = 400;
const messageChars = 120;
const settledEveryMs = 200;

export interface TalkDeps {
  readonly groups: readonly Group[];
  /** HTTP URLs of the nodes. */
  readonly gates: readonly string[];
  readonly random: () => number;
}

/**
 * The owners of groups, who send into them and try again, with the same clientMessageId and any other node, until they are
 * answered; and what was acknowledged. Nobody else sends there.
 */
export class Talk implements Disposable {
  readonly #deps: TalkDeps;
  readonly #sent = new Map<string, Sent[]>();
  /** Nodes that nobody asks. */
  readonly down = new Set<string>();
  /** Tries that were not answered, or by UNAVAILABLE: a client meets them and tries again. */
  retries = 0;
  /** The longest time from the first try to the answer, in ms. */
  longestMs = 0;
  /** So that no message is taken for one of another talk. */
  readonly #name = randomUUID();
  #numbers = 0;
  #talking: Promise<unknown> = Promise.resolve();
  #isOver = false;
  #isAbandoned = false;
  #failure: Error | undefined;

  constructor(deps: TalkDeps) {
    this.#deps = deps;
  }

  get acknowledged(): number {
    return [...this.#sent.values()].reduce((sum, sent) => sum + sent.length, 0);
  }

  /** One message into each group, some groups at a time. */
  async toAll(): Promise<void> {
    const queue = this.#deps.groups.values();
    const worker = async (): Promise<void> => {
      for (const group of queue) await this.#send(group);
    };
    await Promise.all(Array.from({ length: 16 }, worker));
  }

  /** Sends so many a second into one group after the other, until `stop`. */
  start(perSecond: number): void {
    this.#isOver = false;
    const { groups } = this.#deps;
    const underWay = new Set<Promise<void>>();
    const began = performance.now();
    const run = async (): Promise<void> => {
      for (let turn = 0; !this.#isOver; turn += 1) {
        const waitMs = began + (turn * 1000) / perSecond - performance.now();
        if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
        const sending = this.#send(present(groups[turn % groups.length], 'a group'));
        underWay.add(sending);
        const ended = (error?: Error): void => {
          underWay.delete(sending);
          this.#failure ??= error;
        };
        sending.then(() => ended(), ended);
      }
      await Promise.allSettled(underWay);
      if (this.#failure) throw this.#failure;
    };
    this.#talking = run();
    this.#talking.catch(() => undefined);
  }

  /** Resolves when all that was begun is answered. @throws {VoidRun} what was refused. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#talking;
  }

  /** Lets go of what is not answered: where a run breaks off, nobody tries on. */
  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#isAbandoned = true;
  }

  /** @throws {VoidRun} unless that is what was acknowledged, all of it from the first message that was seen on. */
  check(all: readonly (readonly Seen[])[]): void {
    const chains = new Map<string, string>();
    for (const seen of all) {
      demand(seen.length === 1, `a client saw ${seen.length} conversations instead of one`);
      for (const line of seen) {
        const key = `${line.conversationId} ${line.firstSeq}`;
        const chain = chains.get(key) ?? this.#chain(line);
        chains.set(key, chain);
        const sent = present(this.#sent.get(line.conversationId), 'a group');
        const lastSeq = Math.max(...sent.map(({ seq }) => seq));
        demand(
          line.lastSeq === lastSeq && line.chain === chain,
          `a client has other messages of ${line.conversationId} (${line.firstSeq} to ${line.lastSeq} of ${lastSeq}) than were acknowledged`,
        );
      }
    }
  }

  #chain({ conversationId, firstSeq }: Seen): string {
    const sent = present(this.#sent.get(conversationId), 'a group');
    return [...sent]
      .sort((one, other) => one.seq - other.seq)
      .filter(({ seq }) => seq >= firstSeq)
      .reduce((chain, { seq, id, text }) => chainOf(chain, seq, id, text), '');
  }

  async #send({ id: conversationId, members: [owner] }: Group): Promise<void> {
    const clientMessageId = `${this.#name} ${(this.#numbers += 1)}`;
    const text = textOf(`${conversationId} ${clientMessageId}`, messageChars);
    const body = send({ input: { conversationId, clientMessageId, content: { text: { text } } } });
    const began = performance.now();
    for (let tries = 1; ; tries += 1) {
      const answer = await this.#ask(body, present(owner, 'an owner').accessToken);
      if (answer?.data) {
        const { id, seq } = answer.data.sendMessage.message;
        const sent = this.#sent.get(conversationId) ?? [];
        this.#sent.set(conversationId, sent);
        sent.push({ id, seq, text });
        this.longestMs = Math.max(this.longestMs, performance.now() - began);
        return;
      }
      const isFinal = answer?.errors?.some(({ extensions }) => extensions?.retryable !== true);
      if (isFinal || tries === triesMax || this.#isAbandoned) {
        throw new VoidRun(`a send was refused after ${tries} tries: ${JSON.stringify(answer)}`);
      }
      this.retries += 1;
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }

  /** Null: no answer. */
  async #ask(body: string, accessToken: string): Promise<Answer | null> {
    const { gates, random } = this.#deps;
    const up = gates.filter((gate) => !this.down.has(gate));
    const gate = up[Math.floor(random() * up.length)] ?? '';
    try {
      const response = await fetch(`${gate}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${accessToken}` },
        body,
      });
      return (await response.json()) as Answer;
    } catch {
      return null;
    }
  }
}

/** What all clients saw, once what was sent last has come to all. @throws {VoidRun} where it does not, or is not right. */
export async function settled(
  fleet: Fleet,
  talk: Talk,
  withinMs: number,
): Promise<FleetTotalReport> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    await fleet.until(() => true, withinMs, 'all are live');
    const report = await fleet.report();
    try {
      talk.check(report.seen);
      return report;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await pause(settledEveryMs);
    }
  }
}
