/** So much in such a time. */
export interface Rate {
  /** A word of its own, the first part of every key. */
  readonly name: string;
  readonly points: number;
  /** Whole seconds, from the first point taken on. */
  readonly perSeconds: number;
}

/** Counts what is done, over all nodes that share it. Any call may fail, where what keeps the counts is gone. */
export interface RateStore {
  /** Takes one point of a key. @returns 0, or where there is none left, in how many ms there is. */
  take(rate: Rate, key: string): Promise<number>;
  /** Gives one back: what was taken does not count. */
  giveBack(rate: Rate, key: string): Promise<void>;
}
