import { nextEventNo, type News } from './news.ts';

export interface NewsOrderDeps {
  readonly onNews: (news: News) => void;
  /** Something happened that does not come. */
  readonly onGap: () => void;
  readonly limits: {
    /** How long news wait for those before them, which other nodes tell. */
    readonly newsHeldMs: number;
    readonly newsHeldMax: number;
  };
}

/**
 * Puts the news of one conversation in order by eventNo, each once: nodes that commit one after the other are heard in any
 * order. What was missing for long is passed over, and said to be.
 */
export class NewsOrder {
  readonly #deps: NewsOrderDeps;
  /** Undefined: nothing was heard yet. */
  #next: number | undefined;
  readonly #held = new Map<number, News>();
  #timer: NodeJS.Timeout | null = null;

  constructor(deps: NewsOrderDeps) {
    this.#deps = deps;
  }

  /** The eventNo that was not told yet; undefined: nothing was. */
  get next(): number | undefined {
    return this.#next;
  }

  offer(news: News): void {
    const { firstEventNo } = news.part;
    if (this.#next !== undefined && nextEventNo(news) <= this.#next) return;
    if (this.#next !== undefined && firstEventNo > this.#next) {
      this.#held.set(firstEventNo, news);
      if (this.#held.size > this.#deps.limits.newsHeldMax) this.#giveUp();
      else this.#timer ??= setTimeout(() => this.#giveUp(), this.#deps.limits.newsHeldMs);
      return;
    }
    this.#tell(news);
    this.#tellHeld();
  }

  /** Where nothing was heard yet, it begins after what somebody has read. */
  begin(next: number): void {
    this.#next ??= next;
  }

  /** What happened up to here is read elsewhere. */
  skipTo(next: number): void {
    if (this.#next !== undefined && next <= this.#next) return;
    this.#next = next;
    this.#tellHeld();
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#held.clear();
  }

  #tell(news: News): void {
    this.#next = nextEventNo(news);
    this.#deps.onNews(news);
  }

  #tellHeld(): void {
    for (const [first, news] of [...this.#held].sort(([a], [b]) => a - b)) {
      if (this.#next !== undefined && first > this.#next) break;
      this.#held.delete(first);
      if (nextEventNo(news) > (this.#next ?? 0)) this.#tell(news);
    }
    if (this.#held.size === 0) this.stop();
  }

  #giveUp(): void {
    const ends = [...this.#held.values()].map(nextEventNo);
    this.stop();
    this.#next = Math.max(this.#next ?? 0, ...ends);
    this.#deps.onGap();
  }
}
