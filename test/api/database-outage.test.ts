import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UpdateProfileDocument } from '../../client/generated/documents.ts';
import { signIn, signUp, type TestUser } from '../support/clients.ts';
import { mariadbAvailable } from '../support/machine.ts';
import { startMariadb, type TestMariadb } from '../support/mariadb.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

describe.skipIf(!mariadbAvailable())('while a database is gone', () => {
  let database: TestMariadb;
  let server: TestServer;
  let ann: TestUser;

  beforeAll(async () => {
    database = await startMariadb();
    const databaseUrls = [await database.createDatabase()];
    server = await startTestServer({ storage: { databaseUrls } });
    ann = await signUp(server, 'ann');
    await database.kill9();
  });

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await database?.stop();
  });

  it('what needs it is UNAVAILABLE, and may be tried again', async () => {
    const attempts: Record<string, () => Promise<unknown>> = {
      'signing up': () => signUp(server, 'bob'),
      'signing in': () => signIn(server, 'ann', { id: 'desk' }),
      'a new name': () => ann.query(UpdateProfileDocument, { input: { displayName: 'Ann B' } }),
      refreshing: () => ann.refresh(),
    };
    // Each waits for as long as a statement may take.
    await Promise.all(
      Object.entries(attempts).map(([what, attempt]) =>
        expect(attempt(), what).rejects.toMatchObject({
          code: 'UNAVAILABLE',
          errors: [{ extensions: { retryable: true, retryAfterMs: expect.any(Number) as number } }],
        }),
      ),
    );
    expect(server.log.filter(({ level }) => level === 'error')).toEqual([]);
  }, 30_000);

  it('all of it is served again once the database is back', async () => {
    await database.start();
    await expect
      .poll(() => signIn(server, 'ann', { id: 'desk' }), { timeout: 20_000 })
      .toBeTruthy();
    await signUp(server, 'bob');
  }, 30_000);
});
