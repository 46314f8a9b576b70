import { signIn, signUp, TestFault, type Reachable, type TestUser } from '../support/clients.ts';
import { pause } from './random.ts';

const patienceMs = 30_000;

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

/** Asks again while the answer is UNAVAILABLE. */
export async function untilAvailable<T>(ask: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const isAway = error instanceof TestFault && error.code === 'UNAVAILABLE';
      if (!isAway || Date.now() > deadline) throw error;
    }
    await pause(200);
  }
}
