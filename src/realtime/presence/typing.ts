import type { Conversations } from '../../domain/conversation/conversation.ts';
import type { TypingEvent } from '../../domain/inbox/inbox.ts';
import type { Viewer } from '../../domain/session/session.ts';
import { steadyClock } from '../../lib/clock.ts';
import { Deadlines } from '../../lib/deadlines.ts';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import type { Attention, ConversationNews } from '../conversation/conversation-news.ts';
import { LatestStates } from './latest-states.ts';

export interface TypingDeps {
  readonly news: Pick<ConversationNews, 'attend' | 'isHeard' | 'listen' | 'say'>;
  readonly conversations: Pick<Conversations, 'strangers'> & {
    /** @throws {Fault} NOT_FOUND */
    enterOrFault(viewer: Viewer, conversationId: bigint): Promise<unknown>;
  };
  readonly limits: { readonly typingTtlMs: number };
}

interface Typist {
  readonly conversationId: bigint;
  readonly userId: bigint;
  isHere: boolean;
}

interface Watch {
  readonly viewerId: bigint;
  readonly states: LatestStates<bigint, TypingEvent>;
}

interface Scene {
  /** Those who type, and whether they do it on this node. */
  readonly typists: Map<bigint, Typist>;
  readonly watches: Set<Watch>;
  readonly attention: Attention;
  /** Whether other nodes were asked who types there. */
  hasAsked: boolean;
}

/** What nodes say to each other of typing: `typing <user id> <1|0>`; and asking who types. */
const question = 'who types';

const tickMs = 100;

/**
 * Who types where, on any node. In memory alone: a state that is not renewed ends by itself after `typingTtlMs`, a
 * renewal is no event, and nobody is told of themself. Where the end of a membership may have been missed, it is looked up before
 * somebody's typing is told.
 */
export class Typing implements Lifecycle {
  readonly #deps: TypingDeps;
  readonly #scenes = new Map<bigint, Scene>();
  readonly #ends: Deadlines<Typist>;
  /** Who is being let in at this moment: a membership may end meanwhile. */
  readonly #entering = new Set<{ conversationId: bigint; userId: bigint; hasEnded: boolean }>();

  constructor(deps: TypingDeps) {
    this.#deps = deps;
    this.#ends = new Deadlines({
      clock: steadyClock,
      tickMs,
      onDue: ({ conversationId, userId }) => this.#stopTyping(conversationId, userId),
    });
    deps.news.listen({
      onWord: (conversationId, word) => this.#heard(conversationId, word),
      onGap: (conversationId) => void this.#recheck(conversationId),
    });
  }

  async start(): Promise<void> {
    this.#ends.start();
  }

  async stop(): Promise<void> {
    this.#ends.stop();
    for (const { watches } of [...this.#scenes.values()]) {
      for (const { states } of [...watches]) states.end();
    }
    this.#scenes.clear();
  }

  /**
   * Typing in a conversation, those who type already first. Completes when the viewer's membership ends.
   * @throws {Fault} NOT_FOUND
   */
  async typing(
    viewer: Viewer,
    conversationId: bigint,
  ): Promise<AsyncIterableIterator<TypingEvent>> {
    const isMember = await this.#enter(viewer, conversationId);
    const scene = this.#sceneOf(conversationId);
    const states = new LatestStates<bigint, TypingEvent>({
      assumed: false,
      onEnd: () => {
        scene.watches.delete(watch);
        this.#tidy(conversationId, scene);
      },
    });
    const watch = { viewerId: viewer.userId, states };
    scene.watches.add(watch);
    if (!isMember) states.end();
    else this.#ask(conversationId, scene);
    for (const userId of scene.typists.keys()) tell(watch, userId, true);
    return states;
  }

  /**
   * Says that the viewer types, or has stopped. Renew it within `typingTtlMs`.
   * @throws {Fault} NOT_FOUND
   */
  async setTyping(viewer: Viewer, conversationId: bigint, isTyping: boolean): Promise<void> {
    const { userId } = viewer;
    const { news } = this.#deps;
    if (isTyping && !news.isHeard(conversationId)) await this.#recheck(conversationId);
    if (!(await this.#enter(viewer, conversationId))) return;
    news.say(conversationId, wordOf(userId, isTyping));
    if (isTyping) this.#startTyping(conversationId, userId, true);
    else this.#stopTyping(conversationId, userId);
  }

  #startTyping(conversationId: bigint, userId: bigint, isHere: boolean): void {
    const scene = this.#sceneOf(conversationId);
    const known = scene.typists.get(userId);
    const typist = known ?? { conversationId, userId, isHere };
    typist.isHere ||= isHere;
    this.#ends.set(typist, steadyClock.now() + this.#deps.limits.typingTtlMs);
    if (known) return;
    scene.typists.set(userId, typist);
    for (const watch of scene.watches) tell(watch, userId, true);
  }

  /** From here on other nodes say who types; who does already, they are asked. */
  #ask(conversationId: bigint, scene: Scene): void {
    if (scene.hasAsked) return;
    scene.hasAsked = true;
    void scene.attention.ready.then(() => {
      if (scene.watches.size > 0) this.#deps.news.say(conversationId, question);
    });
  }

  #heard(conversationId: bigint, word: string): void {
    const scene = this.#scenes.get(conversationId);
    if (word === question) {
      for (const { userId, isHere } of scene?.typists.values() ?? []) {
        if (isHere) this.#deps.news.say(conversationId, wordOf(userId, true));
      }
      return;
    }
    const [, userId, isTyping] = /^typing (\d+) ([01])$/.exec(word) ?? [];
    if (userId === undefined || !scene) return;
    // Who may be told is not sure: it is renewed soon.
    if (isTyping === '1' && !this.#deps.news.isHeard(conversationId)) return;
    if (isTyping === '1') this.#startTyping(conversationId, BigInt(userId), false);
    else this.#stopTyping(conversationId, BigInt(userId));
  }

  /** The user is no member any more: their subscriptions complete, and their typing ends. */
  membershipEnded(conversationId: bigint, userId: bigint): void {
    for (const entry of this.#entering) {
      if (entry.conversationId === conversationId && entry.userId === userId) entry.hasEnded = true;
    }
    this.#stopTyping(conversationId, userId);
    for (const { viewerId, states } of this.#scenes.get(conversationId)?.watches ?? []) {
      if (viewerId === userId) states.end();
    }
  }

  /** Something happened there that nobody told this node: perhaps a membership has ended. */
  async #recheck(conversationId: bigint): Promise<void> {
    const watches = this.#scenes.get(conversationId)?.watches ?? [];
    const viewers = [...new Set([...watches].map(({ viewerId }) => viewerId))];
    if (viewers.length === 0) return;
    // Not knowing is no right: whoever is one still subscribes again.
    const strangers = await this.#deps.conversations
      .strangers(conversationId, viewers)
      .catch(() => viewers);
    for (const userId of strangers) this.membershipEnded(conversationId, userId);
  }

  /** @returns false where the membership has ended while it was looked up. */
  async #enter({ userId, ...viewer }: Viewer, conversationId: bigint): Promise<boolean> {
    const entry = { conversationId, userId, hasEnded: false };
    this.#entering.add(entry);
    try {
      await this.#deps.conversations.enterOrFault({ userId, ...viewer }, conversationId);
    } finally {
      this.#entering.delete(entry);
    }
    return !entry.hasEnded;
  }

  #stopTyping(conversationId: bigint, userId: bigint): void {
    const scene = this.#scenes.get(conversationId);
    const typist = scene?.typists.get(userId);
    if (!scene || !typist) return;
    this.#ends.delete(typist);
    scene.typists.delete(userId);
    for (const watch of scene.watches) tell(watch, userId, false);
    this.#tidy(conversationId, scene);
  }

  #sceneOf(conversationId: bigint): Scene {
    const known = this.#scenes.get(conversationId);
    if (known) return known;
    const scene: Scene = {
      typists: new Map(),
      watches: new Set(),
      attention: this.#deps.news.attend(conversationId),
      hasAsked: false,
    };
    this.#scenes.set(conversationId, scene);
    return scene;
  }

  #tidy(conversationId: bigint, scene: Scene): void {
    const isEmpty = scene.typists.size === 0 && scene.watches.size === 0;
    if (!isEmpty || this.#scenes.get(conversationId) !== scene) return;
    this.#scenes.delete(conversationId);
    scene.attention.end();
  }
}

function tell({ viewerId, states }: Watch, userId: bigint, isTyping: boolean): void {
  if (viewerId !== userId) states.tell(userId, isTyping, { userId, isTyping });
}

function wordOf(userId: bigint, isTyping: boolean): string {
  return `typing ${userId} ${isTyping ? 1 : 0}`;
}
