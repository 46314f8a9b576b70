import { print } from 'graphql';
import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import {
  InboxDocument,
  type InboxEventPartsFragment,
  type InboxSubscription,
  type MessagePartsFragment,
} from '../../client/generated/documents.ts';
import { decodeCursor } from '../../src/domain/inbox/inbox.ts';
import { decodeIdOf } from '../../src/resolvers/global-id.ts';
import type { TestUser } from '../support/clients.ts';
import type { Seen, Shown } from '../support/history.ts';
import { pullAfresh, type Copy } from './pull-afresh.ts';
import { pause, type Random } from './random.ts';

/** Whoever is closed with one of these does not come back: the session is over. */
const finalCodes = new Set([4401, 4601, 4602]);

/** A device that keeps its inbox open: whenever it is cut off it comes back and goes on after the last event that it processed. */
export class InboxClient {
  readonly user: TestUser;
  /** Its numeric id. */
  readonly userId: bigint;
  readonly events: Seen[] = [];
  /** Of each conversation the newest message that it saw. */
  readonly lastSeqs = new Map<string, number>();
  /** What the server answered that no client should meet. */
  readonly errors: string[] = [];
  /** With which codes its sockets were closed. */
  readonly closeCodes: number[] = [];
  readonly #random: Random;
  #cursor: string | null = null;
  #position = -1;
  #client: Client | null = null;
  #socket: WebSocket | null = null;
  #isStopped = false;
  #end: number | null = null;
  #running: Promise<void> = Promise.resolve();
  /** Of each conversation where its copy ends. */
  readonly #copies = new Map<string, Copy>();
  /** A reset was told, and what is there now was not asked for yet. */
  #owesSnapshot = false;
  /** What came on this connection since it owes one. */
  #held: InboxEventPartsFragment[] = [];

  constructor(user: TestUser, random: Random) {
    this.user = user;
    this.userId = numericId('User', user.id);
    this.#random = random;
  }

  /** The offset of the last event that it processed; -1: none yet. */
  get position(): number {
    return this.#position;
  }

  /** Whether it has asked for all that a reset made it ask for. */
  get isWhole(): boolean {
    return !this.#owesSnapshot;
  }

  /** The code with which it was told for good that its session is over; null: not yet. */
  get end(): number | null {
    return this.#end;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** As a network that breaks. */
  cut(): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.terminate();
  }

  /** As a device that reads nothing for a while, or goes on. */
  stall(isStalled: boolean): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    if (isStalled) this.#socket.pause();
    else this.#socket.resume();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#client) await disposed(this.#client);
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      await this.#follow();
      if (!this.#isStopped) await pause(this.#random.between(10, 250));
    }
  }

  /** One connection, to its end. */
  async #follow(): Promise<void> {
    const keep = (socket: WebSocket): void => {
      this.#socket = socket;
    };
    class OwnWebSocket extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        keep(this);
      }
    }
    const client = createClient({
      url: `${this.user.server.url.replace(/^http/, 'ws')}/graphql`,
      webSocketImpl: OwnWebSocket,
      connectionParams: { accessToken: this.user.auth.accessToken },
      retryAttempts: 0,
    });
    client.on('closed', (event) => {
      const { code } = event as { code: number };
      this.closeCodes.push(code);
      if (!finalCodes.has(code)) return;
      this.#end = code;
      this.#isStopped = true;
    });
    this.#client = client;
    this.events.push({ kind: 'opened', after: this.#cursor === null ? null : this.#position });
    this.#held = [];
    if (this.#owesSnapshot) void this.#recover(client);
    await new Promise<void>((resolve) => {
      client.subscribe<InboxSubscription>(
        { query: print(InboxDocument), variables: { after: this.#cursor } },
        {
          next: ({ data, errors }) => {
            if (errors) this.errors.push(JSON.stringify(errors));
            if (data) this.#hear(data.inbox, client);
          },
          error: (error) => {
            if (Array.isArray(error)) this.errors.push(JSON.stringify(error));
            resolve();
          },
          complete: resolve,
        },
      );
    });
    await disposed(client);
  }

  #hear(event: InboxEventPartsFragment, client: Client): void {
    if (this.#owesSnapshot) this.#held.push(event);
    else this.#take(event, client);
  }

  /** Asks for what is there now, and then takes what came meanwhile; again on the next connection, where this one ends. */
  async #recover(client: Client): Promise<void> {
    while (!this.#isStopped && this.#client === client) {
      const conversations = await pullAfresh(this.user, this.#copies).catch(() => null);
      if (this.#client !== client) return;
      if (!conversations) {
        await pause(this.#random.between(50, 150));
        continue;
      }
      const snapshot = { kind: 'snapshot', position: this.#position, atMs: Date.now() } as const;
      this.events.push({ ...snapshot, conversations });
      this.#copies.clear();
      for (const { conversation, lastSeq, changeSeq, joinedSeq } of conversations) {
        this.#copies.set(conversation, { lastSeq, changeSeq, joinedSeq });
        this.lastSeqs.set(conversation, lastSeq);
      }
      this.#owesSnapshot = false;
      const held = this.#held;
      this.#held = [];
      for (const event of held) this.#hear(event, client);
      return;
    }
  }

  #take(event: InboxEventPartsFragment, client: Client): void {
    const position = Number(decodeCursor(event.cursor, this.userId).offset);
    const seen = { ...seenOf(event, position), atMs: Date.now() };
    this.events.push(seen);
    this.#note(seen);
    this.#cursor = event.cursor;
    this.#position = position;
    if (seen.kind !== 'reset') return;
    this.#owesSnapshot = true;
    void this.#recover(client);
  }

  #note(seen: Seen): void {
    if (seen.kind === 'removed') this.#copies.delete(seen.conversation);
    if (seen.kind !== 'added' && seen.kind !== 'changed') return;
    const { conversation, message } = seen;
    const known = this.#copies.get(conversation);
    const copy = known ?? { joinedSeq: message.seq, lastSeq: 0, changeSeq: 0 };
    const isAdded = seen.kind === 'added';
    const lastSeq = isAdded ? Math.max(copy.lastSeq, message.seq) : copy.lastSeq;
    const changeSeq = isAdded ? copy.changeSeq : Math.max(copy.changeSeq, seen.changeSeq);
    this.#copies.set(conversation, { ...copy, lastSeq, changeSeq });
    this.lastSeqs.set(conversation, lastSeq);
  }
}

/** A client that is just connecting rejects with what became of that. */
async function disposed(client: Client): Promise<void> {
  try {
    await client.dispose();
  } catch {
    // It was cut off, which is what it is for.
  }
}

function seenOf(event: InboxEventPartsFragment, position: number): Seen {
  switch (event.__typename) {
    case 'MessageAdded':
    case 'MessageChanged': {
      const conversation = conversationId(event.message.conversation.id);
      const message = shownOf(event.message);
      if (event.__typename === 'MessageAdded') {
        return { kind: 'added', position, conversation, message };
      }
      return { kind: 'changed', position, conversation, message, changeSeq: event.changeSeq };
    }
    case 'ReadAdvanced':
      return {
        kind: 'read',
        position,
        conversation: conversationId(event.conversation.id),
        user: String(numericId('User', event.user.id)),
        readSeq: event.readSeq,
      };
    case 'ConversationChanged':
      return {
        kind: 'conversation',
        position,
        conversation: conversationId(event.conversation.id),
      };
    case 'ConversationRemoved':
      return { kind: 'removed', position, conversation: conversationId(event.conversationId) };
    case 'InboxHeartbeat':
      return { kind: 'heartbeat', position };
    case 'InboxReset':
      return { kind: 'reset', position };
    default:
      throw new Error(`no such event here: ${event.__typename}`);
  }
}

export function shownOf({
  seq,
  sender,
  clientMessageId,
  content,
  changeSeq,
}: MessagePartsFragment): Shown {
  const isSystem = content.__typename === 'SystemContent';
  const author = isSystem ? content.actor : sender;
  if (!author) throw new Error(`nobody wrote message ${seq}`);
  let text: string | null = null;
  if (isSystem) text = content.event;
  else if (content.__typename === 'TextContent') text = content.text;
  const by = String(numericId('User', author.id));
  return { seq, sender: by, key: clientMessageId, text, changeSeq };
}

export function conversationId(id: string): string {
  return String(numericId('Conversation', id));
}

export function numericId(type: 'User' | 'Conversation', id: string): bigint {
  const numeric = decodeIdOf(type, id);
  if (numeric === null) throw new Error(`not the id of a ${type}: ${id}`);
  return numeric;
}
