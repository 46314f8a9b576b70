import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  LoginDocument,
  LogoutDocument,
  RefreshSessionDocument,
} from '../../client/generated/documents.ts';
import { ask, post, signIn, signUp, type TestFault } from '../support/clients.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const me = '{ viewer { user { id } session { id deviceId isCurrent } sessions { id } } }';
interface Me {
  viewer: {
    user: { id: string };
    session: { id: string; deviceId: string; isCurrent: boolean };
    sessions: { id: string }[];
  };
}

describe('from registration to logout', () => {
  test('register, login, refresh, logout', async () => {
    const ann = await signUp(server, 'ANN', { id: 'phone', platform: 'IOS' });
    expect(ann.username).toBe('ann');
    const first = await post<Me, object>(server, me, {}, ann.auth.accessToken);
    expect(first.data?.viewer).toMatchObject({
      user: { id: ann.id },
      session: { deviceId: 'phone', isCurrent: true },
    });

    const atDesk = await signIn(server, 'Ann', { id: 'desk', platform: 'DESKTOP' });
    expect(atDesk.id).toBe(ann.id);
    expect(atDesk.auth.displacedSessions).toEqual([]);
    const both = await post<Me, object>(server, me, {}, atDesk.auth.accessToken);
    expect(both.data?.viewer.sessions.map(({ id }) => id)).toEqual([
      atDesk.auth.viewer.session.id,
      ann.auth.viewer.session.id,
    ]);

    const before = ann.auth;
    await ann.refresh();
    expect(ann.auth.viewer.session.id).toBe(before.viewer.session.id);
    expect(ann.auth.refreshToken).not.toBe(before.refreshToken);
    // A lost answer can be retried, and gives the same successor.
    const again = await ask(server, RefreshSessionDocument, { refreshToken: before.refreshToken });
    expect(again.refreshSession.refreshToken).toBe(ann.auth.refreshToken);
    // Refreshed or not, an access token lives to its end.
    expect((await post(server, me, {}, before.accessToken)).errors).toBeUndefined();

    const { logout } = await ann.query(LogoutDocument, {});
    expect(logout.session.id).toBe(ann.auth.viewer.session.id);
    for (const token of [before.accessToken, ann.auth.accessToken]) {
      const { errors } = await post(server, me, {}, token);
      expect(errors?.[0]?.extensions).toEqual({ code: 'UNAUTHENTICATED', retryable: false });
    }
    await expect(ann.refresh()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect((await post(server, me, {}, atDesk.auth.accessToken)).errors).toBeUndefined();
  });

  test('a wrong password, and a name that nobody has, look the same', async () => {
    await signUp(server, 'bob');
    const tried = async (username: string, password: string): Promise<unknown> => {
      const input = { username, password, device: { id: 'd' } };
      try {
        return await ask(server, LoginDocument, { input });
      } catch (error) {
        return (error as TestFault).errors.map(({ message, extensions }) => [message, extensions]);
      }
    };
    const [wrong, unknown] = [
      await tried('bob', 'wrong horse'),
      await tried('nobody', 'any horse'),
    ];
    expect(wrong).toEqual([[expect.any(String), { code: 'UNAUTHENTICATED', retryable: false }]]);
    expect(unknown).toEqual(wrong);
  });
});
