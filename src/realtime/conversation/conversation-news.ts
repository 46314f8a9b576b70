import type { CommittedRow, OutboxPart } from '../../domain/timeline/timeline.ts';
import { slotOf } from '../../lib/id.ts';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import type { Logger } from '../../lib/log.ts';
import { readPerShard, type ShardMap } from '../../storage/per-shard.ts';
import { marks } from '../../storage/sql.ts';
import { present } from '../../lib/assert.ts';
import { chunks } from '../../lib/chunks.ts';
import type { Broker, Subscription } from '../nodes/broker.ts';
import { NewsOrder } from './news-order.ts';
import { NewsTeller } from './news-teller.ts';
import { bySeq, decodeNews, encodeNews, type News } from './news.ts';

export interface ConversationNewsDeps {
  /** This node's name among the others. */
  readonly gate: string;
  /** Each carries some of the conversations. */
  readonly brokers: readonly Broker[];
  /** Whether there are no other nodes. */
  readonly isAlone: boolean;
  readonly shards: ShardMap;
  readonly log: Logger;
  readonly limits: {
    readonly newsHeldMs: number;
    readonly newsHeldMax: number;
    readonly newsWaitingMax: number;
    readonly newsCharsMax: number;
    readonly newsReadyMs: number;
    readonly followedPollMs: number;
  };
}

/** Is told of the conversations that somebody here attends to. None of it may throw. */
export interface NewsListener {
  /** Of one conversation, in order and each once. */
  readonly onNews?: (news: News) => void;
  /** Something may have happened that nobody told. */
  readonly onGap?: (conversationId: bigint) => void;
  /** Something that another node said, and that is kept nowhere. */
  readonly onWord?: (conversationId: bigint, word: string) => void;
}

/** Somebody's place among those who attend to a conversation. */
export interface Attention {
  /** Resolves when other nodes tell this one; after `newsReadyMs` in any case: what they tell later is found by then. */
  readonly ready: Promise<void>;
  /** What happened before this eventNo was read. */
  begin(nextEventNo: number): void;
  end(): void;
}

interface Attended {
  readonly order: NewsOrder;
  readonly subscription: Subscription;
  readonly ready: Promise<void>;
  attentions: number;
}

const idsPerStatement = 500;
/** Longer than any news are on their way. */
const lateMs = 500;

/**
 * What happens to the conversations that somebody on this node attends to, whichever node commits it: by its own commits, and
 * by what the others publish on `conv:<id>`, put in order. The last one of all might be lost, so now and then, and
 * whenever the brokers are back, the heads are read.
 */
export class ConversationNews implements Lifecycle {
  readonly #deps: ConversationNewsDeps;
  readonly #tellers: readonly NewsTeller[];
  readonly #listeners: NewsListener[] = [];
  readonly #attended = new Map<bigint, Attended>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #unlisten: (() => void)[] = [];
  #poll: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;
  /** How often the brokers have come back, and with which time what was missed is told. */
  #returns = 0;
  #caughtUpWith = 0;

  constructor(deps: ConversationNewsDeps) {
    this.#deps = deps;
    this.#tellers = deps.brokers.map((broker) => new NewsTeller(broker, deps));
  }

  start(): Promise<void> {
    const { isAlone, brokers, limits } = this.#deps;
    if (isAlone) return Promise.resolve();
    this.#poll = setInterval(() => this.#look(), limits.followedPollMs);
    const returned = (): void => {
      this.#returns += 1;
      this.#look();
    };
    for (const broker of brokers) this.#unlisten.push(broker.onRestored(returned));
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    if (this.#poll) clearInterval(this.#poll);
    for (const unlisten of this.#unlisten) unlisten();
    for (const { order, subscription } of this.#attended.values()) {
      order.stop();
      subscription.end();
    }
    this.#attended.clear();
    await this.#looking;
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all(this.#tellers.map((teller) => teller.stop()));
  }

  listen(listener: NewsListener): void {
    this.#listeners.push(listener);
  }

  attend(conversationId: bigint): Attention {
    const attended = this.#attended.get(conversationId) ?? this.#begin(conversationId);
    attended.attentions += 1;
    let hasEnded = false;
    return {
      ready: attended.ready,
      begin: (next) => attended.order.begin(next),
      end: () => {
        if (hasEnded) return;
        hasEnded = true;
        attended.attentions -= 1;
        if (attended.attentions > 0 || this.#attended.get(conversationId) !== attended) return;
        this.#attended.delete(conversationId);
        attended.order.stop();
        attended.subscription.end();
      },
    };
  }

  /** A row of this node's. Those of a conversation come in the order of their commits. */
  committed({ body, createdAtMs, messages }: CommittedRow): void {
    for (const part of body.parts) {
      const attended = this.#attended.get(part.conversationId);
      // Most conversations of a batch nobody follows, and a node that is alone tells nobody else.
      if (!attended && this.#deps.isAlone) continue;
      const news = newsOf(part, createdAtMs, messages);
      attended?.order.offer(news);
      this.#tell(part.conversationId, 'news', () =>
        encodeNews(news, this.#deps.limits.newsCharsMax),
      );
    }
  }

  /** Something has happened of which perhaps nobody was told. */
  doubt(conversationId: bigint): void {
    if (!this.#attended.has(conversationId)) return;
    for (const { onGap } of this.#listeners) onGap?.(conversationId);
  }

  /**
   * Whether this node hears what others do there, and has told what it had missed; else a membership may have ended of which
   * nobody here knows.
   */
  isHeard(conversationId: bigint): boolean {
    if (this.#deps.isAlone) return true;
    return this.#caughtUpWith === this.#returns && this.#brokerOf(conversationId).isUp;
  }

  /** Says something to the other nodes that attend to a conversation; it is kept nowhere. */
  say(conversationId: bigint, word: string): void {
    this.#tell(conversationId, 'word', () => word);
  }

  #tell(conversationId: bigint, kind: 'news' | 'word', text: () => string): void {
    if (this.#deps.isAlone) return;
    const teller = present(this.#tellers[this.#indexOf(conversationId)], 'a broker has a teller');
    teller.tell(channelOf(conversationId), () => `${kind} ${this.#deps.gate}\n${text()}`);
  }

  #begin(conversationId: bigint): Attended {
    const { limits } = this.#deps;
    const subscription = this.#brokerOf(conversationId).subscribe(
      channelOf(conversationId),
      (text) => this.#hear(conversationId, text),
    );
    const order = new NewsOrder({
      onNews: (news) => {
        for (const listener of this.#listeners) listener.onNews?.(news);
      },
      onGap: () => this.doubt(conversationId),
      limits,
    });
    const attended: Attended = {
      order,
      subscription,
      attentions: 0,
      ready: this.#soon(subscription),
    };
    this.#attended.set(conversationId, attended);
    return attended;
  }

  /** While Redis is away nobody waits for it: what is missed is found when it is back. */
  #soon({ ready }: Subscription): Promise<void> {
    if (this.#deps.isAlone) return ready;
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#timers.delete(timer);
        resolve();
      };
      const timer = setTimeout(done, this.#deps.limits.newsReadyMs);
      this.#timers.add(timer);
      void ready.then(done);
    });
  }

  #hear(conversationId: bigint, text: string): void {
    const end = text.indexOf('\n');
    const [kind, gate] = text.slice(0, end).split(' ');
    // What this node says itself it knows.
    if (gate === this.#deps.gate) return;
    const rest = text.slice(end + 1);
    try {
      if (kind === 'news') this.#attended.get(conversationId)?.order.offer(decodeNews(rest));
      else for (const { onWord } of this.#listeners) onWord?.(conversationId, rest);
    } catch (err) {
      this.#deps.log.error({ err }, 'news.unreadable');
    }
  }

  #look(): void {
    const returns = this.#returns;
    this.#looking ??= this.#readHeads()
      .then(() => this.#later(() => (this.#caughtUpWith = returns)))
      .catch((err: unknown) => {
        this.#deps.log.warn({ err }, 'news.heads_failed');
      })
      .finally(() => {
        this.#looking = null;
      });
  }

  async #readHeads(): Promise<void> {
    await readPerShard(
      this.#deps.shards,
      [...this.#attended.keys()],
      (id) => id,
      async ({ sql }, ofShard) => {
        for (const ids of chunks(ofShard, idsPerStatement)) {
          const heads = await sql.query<{ id: bigint; eventNo: number }>(
            `SELECT id, eventNo FROM Conversation WHERE id IN (${marks(ids.length)})`,
            ids,
          );
          this.#compare(heads);
        }
      },
    );
  }

  /** What was committed a moment ago may still be on its way. */
  #compare(heads: readonly { readonly id: bigint; readonly eventNo: number }[]): void {
    const untold = heads.filter(({ id, eventNo }) => this.#isUntold(id, eventNo));
    if (untold.length === 0) return;
    this.#later(() => {
      for (const { id, eventNo } of untold) {
        if (!this.#isUntold(id, eventNo)) continue;
        this.#attended.get(id)?.order.skipTo(eventNo + 1);
        this.doubt(id);
      }
    });
  }

  /** When what was on its way has come. */
  #later(work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, lateMs);
    this.#timers.add(timer);
  }

  #isUntold(conversationId: bigint, eventNo: number): boolean {
    const attended = this.#attended.get(conversationId);
    return attended !== undefined && (attended.order.next ?? 0) <= eventNo;
  }

  #brokerOf(conversationId: bigint): Broker {
    const { brokers } = this.#deps;
    return present(brokers[this.#indexOf(conversationId)], 'a conversation has a broker');
  }

  #indexOf(conversationId: bigint): number {
    return slotOf(conversationId) % this.#deps.brokers.length;
  }
}

function channelOf(conversationId: bigint): string {
  return `conv:${conversationId}`;
}

function newsOf(part: OutboxPart, atMs: number, messages: CommittedRow['messages']): News {
  const { conversationId } = part;
  const ours = messages.filter((one) => one.conversationId === conversationId);
  return { part, atMs, messages: bySeq(ours) };
}
