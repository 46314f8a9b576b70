import { Agent } from 'node:http';
import { buildSchema } from '../../src/resolvers/schema.ts';
import { faultCodes } from '../../src/lib/fault.ts';
import { SendMessageDocument } from '../../client/generated/documents.ts';
import { Random } from '../kill/random.ts';
import type { TestUser } from '../support/clients.ts';
import { attackOverHttp, attackOverSocket, type Came, type Drawing } from './attacks.ts';
import { Documents } from './documents.ts';
import { FuzzedServer } from './fuzzed-server.ts';
import { populate } from './population.ts';
import { Values, type Known } from './values.ts';

export interface FuzzOptions {
  readonly iterations: number;
  readonly seed: number;
  /** Called now and then. */
  readonly onProgress?: (done: number) => void;
}

export interface FuzzReport {
  readonly iterations: number;
  readonly findings: readonly string[];
  /** How often each code came, `OK` for answers without errors. */
  readonly codes: ReadonlyMap<string, number>;
  /** After the warm-up and at the end, all garbage collected. */
  readonly rssBytes: readonly [warm: number, end: number];
  readonly heapBytes: readonly [warm: number, end: number];
  /** The longest that a client with nothing odd about it waited for its answer. */
  readonly saneWorstMs: number;
}

const clients = 8;
const framesPerSocket = 8;
const findingsMax = 20;
const saneWithinMs = 5_000;
/** The part of the iterations after which memory must not grow any more. */
const warmUp = 0.5;

/** Attacks a server of its own. The same seed draws the same cases; what they meet depends on what went before. */
export async function fuzz({ iterations, seed, onProgress }: FuzzOptions): Promise<FuzzReport> {
  await using server = await FuzzedServer.start();
  const found = new Set<string>();
  const codes = new Map<string, number>();
  const population = await populate(server);
  const sane = new SaneClient(population.sane);
  let done = 0;
  let told = 0;
  const attackUntil = async (end: number): Promise<void> => {
    const attackers = Array.from({ length: clients }, async (_, client) => {
      const drawing = drawingOf(server.url, seed + client + done * clients, population.known);
      while (done < end && found.size < findingsMax && server.isAlive) {
        const isSocket = drawing.random.chance(0.1);
        done += isSocket ? framesPerSocket : 1;
        const attack = isSocket
          ? attackOverSocket(drawing, framesPerSocket)
          : attackOverHttp(drawing);
        const came = await attack.catch((error: unknown) => String(error));
        if (typeof came === 'string') found.add(came);
        else for (const wrong of judge(came, codes)) found.add(`${wrong}\n  of ${came.what}`);
        if (Math.floor(done / 10_000) > told) onProgress?.((told += 1) * 10_000);
      }
      drawing.agent.destroy();
    });
    await Promise.all(attackers);
  };
  const saneEnd = sane.start();
  const renewalEnd = population.keepUp((text) => found.add(text));
  await attackUntil(Math.floor(iterations * warmUp));
  const warm = server.isAlive ? await server.memory() : nothing;
  await attackUntil(iterations);
  await saneEnd();
  await renewalEnd();
  await pause(500);
  const end = server.isAlive ? await server.memory() : nothing;
  return {
    iterations: done,
    findings: [...found, ...server.findings, ...sane.findings].slice(0, findingsMax),
    codes,
    rssBytes: [warm.rssBytes, end.rssBytes],
    heapBytes: [warm.heapBytes, end.heapBytes],
    saneWorstMs: sane.worstMs,
  };
}

const nothing = { rssBytes: 0, heapBytes: 0 };

function drawingOf(url: string, seed: number, known: Known): Drawing {
  const random = new Random(seed);
  const values = new Values(random, known);
  const documents = new Documents(buildSchema(), random, values);
  return { url, agent: new Agent({ keepAlive: true, maxSockets: 2 }), random, values, documents };
}

/** What must not be: an error without a code of the table, our own faults, a server error without one. */
function* judge(came: Came, codes: Map<string, number>): Generator<string> {
  const count = (code: string): void => void codes.set(code, (codes.get(code) ?? 0) + 1);
  const { status, closeCode } = came;
  if (closeCode === 4500 || closeCode === 1011) yield `closed with ${closeCode}`;
  let hasCode = false;
  for (const answer of came.answers) {
    const errors = errorsOf(answer);
    if (errors.length === 0) count('OK');
    for (const error of errors) {
      const { code, retryable } = error.extensions ?? {};
      const isKnown = typeof code === 'string' && code in faultCodes;
      hasCode ||= isKnown;
      count(isKnown ? code : 'none');
      if (!isKnown || typeof retryable !== 'boolean') yield `no code: ${answer.slice(0, 500)}`;
      if (code === 'INTERNAL' || code === 'UNAVAILABLE') yield `${code}: ${answer.slice(0, 500)}`;
    }
  }
  if (status !== null && status >= 500 && !hasCode) yield `status ${status}`;
}

interface Told {
  readonly extensions?: { readonly code?: unknown; readonly retryable?: unknown };
}

/** Errors of a GraphQL answer, or of an `error` or `next` message. */
function errorsOf(answer: string): readonly Told[] {
  const isJson = answer.startsWith('{');
  if (!isJson) return [];
  const parsed = JSON.parse(answer) as {
    type?: string;
    payload?: unknown;
    errors?: readonly Told[];
  };
  if (parsed.errors) return parsed.errors;
  if (parsed.type === 'error') return parsed.payload as readonly Told[];
  const inner = parsed.payload as { errors?: readonly Told[] } | undefined;
  return parsed.type === 'next' ? (inner?.errors ?? []) : [];
}

/** Sends and reads like anybody, all the while: it must not notice. */
class SaneClient {
  readonly findings: string[] = [];
  worstMs = 0;
  readonly #users: readonly TestUser[];

  constructor(users: readonly TestUser[]) {
    this.#users = users;
  }

  /** @returns what ends it. */
  start(): () => Promise<void> {
    let isOver = false;
    const run = async (): Promise<void> => {
      const [one, other] = this.#users as [TestUser, TestUser];
      const conversationId = await one.directWith(other);
      for (let count = 1; !isOver; count += 1) {
        const startMs = Date.now();
        const content = { text: { text: `sane ${count}` } };
        const { sendMessage } = await one.query(SendMessageDocument, {
          input: { conversationId, clientMessageId: `sane ${count}`, content },
        });
        this.worstMs = Math.max(this.worstMs, Date.now() - startMs);
        if (sendMessage.message.seq !== count) this.findings.push(`seq of message ${count}`);
        await pause(50);
      }
      if (this.worstMs > saneWithinMs)
        this.findings.push(`a sane client waited ${this.worstMs} ms`);
    };
    const running = run().catch((error: unknown) => {
      this.findings.push(`a sane client met ${String(error)}`);
    });
    return () => {
      isOver = true;
      return running;
    };
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
