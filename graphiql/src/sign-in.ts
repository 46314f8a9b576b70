/** Who this window is signed in as: what the last answer with an access token said. */
export interface SignedIn {
  /** Told apart from the sign-ins before it; a refresh keeps it. */
  readonly number: number;
  readonly accessToken: string;
  /** ms since 1970; absent where the answer did not tell. */
  readonly expiresAt?: number;
  readonly refreshToken?: string;
  readonly username?: string;
}

const storageKey = 'fastim:sign-in';
/** A token is renewed when no more than this is left of its life. */
const renewAheadMs = 20_000;

/** What a sign-in is made of: the window's storage, the time, and two questions to the server. */
export interface SignInDeps {
  readonly storage: {
    getItem(key: string): string | null;
    setItem(key: string, value: string): void;
    removeItem(key: string): void;
  };
  readonly now: () => number;
  /** The answer to refreshSession. */
  readonly refresh: (refreshToken: string) => Promise<unknown>;
  /** The viewer's name. */
  readonly whoAmI: (accessToken: string) => Promise<string | undefined>;
}

/**
 * Remembers the last access token that any answer contained, in sessionStorage: so each window is
 * one person, and a reload keeps it. Renews it while the answer gave a refresh token too.
 */
export class SignIn {
  #current: SignedIn | null = null;
  #renewing: Promise<void> | null = null;
  readonly #listeners = new Set<() => void>();
  readonly #deps: SignInDeps;

  constructor(deps: SignInDeps) {
    this.#deps = deps;
    this.#current = restore(deps.storage.getItem(storageKey));
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly current = (): SignedIn | null => this.#current;

  /** Takes note of an answer to anything: nothing happens where it holds no access token. */
  learn(answer: unknown): void {
    const found = findAuth(answer);
    if (!found) return;
    const number = (this.#current?.number ?? 0) + 1;
    this.#set({ ...found, number });
    if (found.username !== undefined) return;
    const name = this.#deps.whoAmI(found.accessToken).catch(() => undefined);
    void name.then((username) => {
      const current = this.#current;
      if (username !== undefined && current?.number === number) this.#set({ ...current, username });
    });
  }

  forget(): void {
    this.#set(null);
  }

  /** Whether the token of that sign-in can still be had anew. */
  renewable(number: number): boolean {
    return this.#current?.number === number && this.#current.refreshToken !== undefined;
  }

  /** The present token, renewed first where it is about to expire, or always with `force`. */
  async token(options: { force?: boolean } = {}): Promise<SignedIn | null> {
    const { expiresAt, refreshToken } = this.#current ?? {};
    const due = options.force === true || (expiresAt ?? Infinity) - this.#deps.now() < renewAheadMs;
    if (due && refreshToken !== undefined) {
      this.#renewing ??= this.#renew(refreshToken).finally(() => (this.#renewing = null));
      await this.#renewing;
    }
    return this.#current;
  }

  async #renew(refreshToken: string): Promise<void> {
    const before = this.#current;
    // A refusal leaves the old token in place: the server's answer to its use says what is wrong.
    const found = findAuth(await this.#deps.refresh(refreshToken).catch(() => null));
    if (found && before && this.#current === before) this.#set({ ...before, ...found });
  }

  #set(next: SignedIn | null): void {
    this.#current = next;
    if (next) this.#deps.storage.setItem(storageKey, JSON.stringify(next));
    else this.#deps.storage.removeItem(storageKey);
    for (const listener of this.#listeners) listener();
  }
}

function restore(stored: string | null): SignedIn | null {
  try {
    const value: unknown = JSON.parse(stored ?? 'null');
    return findAuth(value) ? (value as SignedIn) : null;
  } catch {
    return null;
  }
}

type Found = Omit<SignedIn, 'number'>;

/** The first object, at any depth, that has a text `accessToken`. */
function findAuth(value: unknown): Found | null {
  if (typeof value !== 'object' || value === null) return null;
  const accessToken = text(value, 'accessToken');
  if (accessToken === undefined) {
    for (const child of Object.values(value)) {
      const found = findAuth(child);
      if (found) return found;
    }
    return null;
  }
  const expiresAt = Date.parse(text(value, 'accessTokenExpiresAt') ?? '');
  const refreshToken = text(value, 'refreshToken');
  const username = text(child(child(value, 'viewer'), 'user'), 'username');
  return {
    accessToken,
    ...(Number.isNaN(expiresAt) ? {} : { expiresAt }),
    ...(refreshToken === undefined ? {} : { refreshToken }),
    ...(username === undefined ? {} : { username }),
  };
}

function child(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

function text(value: unknown, key: string): string | undefined {
  const found = child(value, key);
  return typeof found === 'string' ? found : undefined;
}
