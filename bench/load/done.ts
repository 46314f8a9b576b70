/** To be called once, when a unit of work has ended; with what went wrong, where something did. */
export type Done = (failure?: Error) => void;

/** A unit of work. Told by a callback, since a promise for each of thousands a second shows in the CPU. */
export type Work = (turn: number, done: Done) => void;

/** Work that is said with a promise. */
export function promised(work: (turn: number) => Promise<unknown>): Work {
  return (turn, done) => {
    work(turn).then(
      () => done(),
      (error: unknown) => done(asError(error)),
    );
  };
}

/** What is told by a callback, as a promise. */
export function whenDone(begin: (done: Done) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    begin((failure) => (failure ? reject(failure) : resolve()));
  });
}

/** What was thrown, as an error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
