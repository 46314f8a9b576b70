import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Apps } from '../../src/domain/app/app.ts';
import { Sessions, type SessionsDeps } from '../../src/domain/session/session.ts';
import { Passwords, Users, type User } from '../../src/domain/user/user.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { IdSource } from '../../src/lib/id.ts';
import { createLogger } from '../../src/lib/log.ts';
import { Shards, type ShardsConfig } from '../../src/storage/shards.ts';
import { createMariadbDatabase, mariadbAvailable } from './machine.ts';

/** Where the tables can be: an engine and how many shards of it. */
export interface Storage {
  readonly name: string;
  readonly isHere: () => boolean;
  readonly shards: (folder: string) => Promise<ShardsConfig>;
}

export const storages: readonly Storage[] = [
  {
    name: 'SQLite',
    isHere: () => true,
    shards: (dataDir) => Promise.resolve({ kind: 'sqlite', dataDir }),
  },
  {
    name: 'two MariaDB shards',
    isHere: mariadbAvailable,
    shards: async () => ({
      kind: 'mysql',
      urls: [await createMariadbDatabase(), await createMariadbDatabase()],
      joinedBy: null,
    }),
  },
];

/** A clock that stands until it is moved. */
export class StillClock implements Clock {
  #now: number;

  constructor(now = Date.UTC(2026, 10, 23, 8)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  advance(ms: number): void {
    this.#now += ms;
  }
}

/** Cheap enough for tests, dear enough for its absence to be measured. */
export const cheapPasswords = { memoryKib: 256, passes: 1 };

/** Users and sessions over shards of their own, and further nodes on the same ones. */
export interface Accounts extends AsyncDisposable {
  readonly clock: StillClock;
  readonly shards: Shards;
  readonly ids: IdSource;
  readonly users: Users;
  readonly sessions: Sessions;
  readonly keyPath: string;
  /** Sessions as another node has them; it stops with the rest. */
  node(deps?: Partial<SessionsDeps>): Promise<Sessions>;
  /** A user by a name that nobody has. */
  newUser(name?: string): Promise<User>;
}

export async function openAccounts(
  storage: Storage,
  deps: Partial<SessionsDeps> = {},
): Promise<Accounts> {
  const folder = await mkdtemp(path.join(tmpdir(), 'fastim-accounts-'));
  const clock = new StillClock();
  const shards = new Shards(await storage.shards(folder), {
    clock,
    onLost: (reason) => {
      throw reason;
    },
  });
  await shards.start();
  const ids = new IdSource({ clock });
  const apps = new Apps(['default', 'other']);
  const users = new Users({
    shards,
    ids,
    clock,
    apps,
    passwords: new Passwords({ cost: cheapPasswords }),
  });
  const keyPath = path.join(folder, 'keys.json');
  const nodes: Sessions[] = [];
  const node = async (own: Partial<SessionsDeps> = {}): Promise<Sessions> => {
    const sessions = new Sessions({
      shards,
      ids,
      clock,
      log: createLogger({ level: 'silent' }),
      keys: { path: keyPath, isMadeIfMissing: true },
      policy: 'same-class',
      accessTokenTtlMs: 900_000,
      refreshGraceMs: 60_000,
      ...deps,
      ...own,
    });
    await sessions.start();
    nodes.push(sessions);
    return sessions;
  };
  let named = 0;
  return {
    clock,
    shards,
    ids,
    users,
    sessions: await node(),
    keyPath,
    node,
    newUser: (username = `user_${(named += 1)}`) =>
      users.register({ appId: 'default', username, password: 'correct horse', displayName: null }),
    async [Symbol.asyncDispose]() {
      for (const sessions of nodes) await sessions.stop(0);
      await shards.stop(0);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
