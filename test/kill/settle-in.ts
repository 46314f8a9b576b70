import { signIn, signUp, TestFault, type Reachable, type TestUser } from '../support/clients.ts';
import { pause } from './random.ts';

const patienceMs = 60_000;

/** Signs a new user up, as one who asks again where a busy server says that it is not available. */
export function settledIn(server: Reachable, username: string): Promise<TestUser> {
  return untilAvailable(async () => {
    try {
      return await signUp(server, username);
    } catch (error) {
      // It was done, and then nobody could say so.
      if (!(error instanceof TestFault) || error.code !== 'CONFLICT') throw error;
      return signIn(server, username, {});
    }
  });
}

/** Asks again while the answer is UNAVAILABLE, or lost with its connection: what is asked may be asked twice. */
export async function untilAvailable<T>(ask: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isAccident(error) || Date.now() > deadline) throw error;
    }
    await pause(200);
  }
}

function isAccident(error: unknown): boolean {
  if (error instanceof TestFault) return error.code === 'UNAVAILABLE';
  // Of fetch: the connection ended, perhaps while it stood idle between two calls.
  return error instanceof TypeError && error.cause !== undefined;
}
