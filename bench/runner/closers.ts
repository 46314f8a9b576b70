/** What has to be closed at the end, the last opened first. */
export class Closers implements AsyncDisposable {
  readonly #all: (() => unknown)[] = [];

  defer(close: () => unknown): void {
    this.#all.push(close);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#all.reverse()) await close();
  }
}
