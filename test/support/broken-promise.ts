/** The server told what it promised not to, or not what it promised. */
export class BrokenPromise extends Error {
  override name = 'BrokenPromise';
}

/** What was told, and what is wrong with it. */
export function broken(what: string, told: object): BrokenPromise {
  return new BrokenPromise(`${what}: ${JSON.stringify(told)}`);
}
