/** When users left who are not online any more, since the shards learn it later: of so many, the longest ago is forgotten. */
export class LeftTimes {
  readonly #usersMax: number;
  readonly #atMs = new Map<bigint, number>();

  constructor(usersMax: number) {
    this.#usersMax = usersMax;
  }

  get(userId: bigint): number | undefined {
    return this.#atMs.get(userId);
  }

  set(userId: bigint, atMs: number): void {
    this.#atMs.delete(userId);
    this.#atMs.set(userId, atMs);
    const [longestAgo] = this.#atMs.keys();
    if (this.#atMs.size > this.#usersMax && longestAgo !== undefined) this.#atMs.delete(longestAgo);
  }

  delete(userId: bigint): void {
    this.#atMs.delete(userId);
  }
}
