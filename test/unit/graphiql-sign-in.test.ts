import { describe, expect, it } from 'vitest';
import { SignIn, type SignInDeps } from '../../graphiql/src/sign-in.ts';

function storage(): SignInDeps['storage'] & { content: Map<string, string> } {
  const content = new Map<string, string>();
  return {
    content,
    getItem: (key) => content.get(key) ?? null,
    setItem: (key, value) => void content.set(key, value),
    removeItem: (key) => void content.delete(key),
  };
}

const auth = (accessToken: string, expiresAt: number, username?: string): unknown => ({
  accessToken,
  accessTokenExpiresAt: new Date(expiresAt).toISOString(),
  refreshToken: `refresh ${accessToken}`,
  ...(username === undefined ? {} : { viewer: { user: { username } } }),
});

function make(overrides: Partial<SignInDeps> = {}): { signIn: SignIn; deps: SignInDeps } {
  const deps: SignInDeps = {
    storage: storage(),
    now: () => 0,
    refresh: async () => ({ data: null }),
    whoAmI: async () => undefined,
    ...overrides,
  };
  return { signIn: new SignIn(deps), deps };
}

describe('SignIn', () => {
  it('learns the token of any answer, whatever the field is called, and keeps it over a reload', () => {
    const { signIn, deps } = make();
    signIn.learn({ data: { viewer: { user: { username: 'ann' } } } });
    expect(signIn.current()).toBeNull();
    signIn.learn({ data: { anything: auth('one', 1_000, 'ann') } });
    const expected = { accessToken: 'one', expiresAt: 1_000, username: 'ann', number: 1 };
    expect(signIn.current()).toMatchObject(expected);
    expect(make({ storage: deps.storage }).signIn.current()).toMatchObject(expected);
    signIn.forget();
    expect(make({ storage: deps.storage }).signIn.current()).toBeNull();
  });

  it('starts signed out where what is stored is none of its own', () => {
    const broken = storage();
    broken.setItem('fastim:sign-in', '{');
    expect(make({ storage: broken }).signIn.current()).toBeNull();
  });

  it('asks for the name where the answer did not select it, and tells its listeners', async () => {
    const { signIn } = make({ whoAmI: async (token) => `owner of ${token}` });
    let told = 0;
    signIn.subscribe(() => (told += 1));
    signIn.learn({ data: { register: { accessToken: 'one' } } });
    await expect.poll(() => signIn.current()?.username).toBe('owner of one');
    expect(told).toBe(2);
  });

  it('renews shortly before the end, once for all who ask, as the same sign-in', async () => {
    const asked: string[] = [];
    let now = 0;
    const { signIn } = make({
      now: () => now,
      refresh: async (token) => {
        asked.push(token);
        return { data: { refreshSession: auth('two', 200_000) } };
      },
    });
    signIn.learn(auth('one', 100_000, 'ann'));
    expect(await signIn.token()).toMatchObject({ accessToken: 'one' });
    now = 90_000;
    const all = await Promise.all([signIn.token(), signIn.token()]);
    for (const each of all) {
      expect(each).toMatchObject({ accessToken: 'two', number: 1, username: 'ann' });
    }
    expect(asked).toEqual(['refresh one']);
    expect(signIn.renewable(1)).toBe(true);
    expect(signIn.renewable(2)).toBe(false);
  });

  it('keeps the old token where the renewal is refused', async () => {
    const { signIn } = make({ refresh: async () => ({ errors: [{ message: 'revoked' }] }) });
    signIn.learn(auth('one', 0, 'ann'));
    expect(await signIn.token()).toMatchObject({ accessToken: 'one' });
  });

  it('does not bring a sign-in back that was forgotten during its renewal', async () => {
    let answer = (_: unknown): void => undefined;
    const { signIn } = make({ refresh: () => new Promise((resolve) => (answer = resolve)) });
    signIn.learn(auth('one', 0, 'ann'));
    const token = signIn.token();
    signIn.forget();
    answer(auth('two', 100_000));
    expect(await token).toBeNull();
    expect(signIn.current()).toBeNull();
  });
});
