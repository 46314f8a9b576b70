import { assert, present } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import { Fault } from '../../lib/fault.ts';
import { slotOfKey, type IdSource } from '../../lib/id.ts';
import { checkText, isWellFormed } from '../../lib/text.ts';
import { limits } from '../../limits.ts';
import { readPerShard } from '../../storage/per-shard.ts';
import type { Shards } from '../../storage/shards.ts';
import type { Apps } from '../app/app.ts';
import type { User } from './model.ts';
import type { Passwords } from './passwords.ts';
import { Profiles } from './profiles.ts';
import { accountByUsername, insertUser, updateDisplayName, usersByIds } from './user-store.ts';
import { checkUsername, usernameOf } from './username.ts';

export type { User } from './model.ts';
export { accountKey } from './username.ts';
export { Passwords, passwordCost, type PasswordCost } from './passwords.ts';

export interface UsersDeps {
  readonly shards: Shards;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly apps: Apps;
  readonly passwords: Passwords;
  /** Told of each profile that was changed here, once that is committed. Must not throw. */
  readonly onProfileChanged?: (userId: bigint) => void;
}

/** Which slot a user lives in: found by name and by id alike. */
function slotOfUser(appId: string, username: string): number {
  return slotOfKey(appId, username);
}

const displayNameBounds = { min: 1, max: limits.displayNameCharsMax };
const passwordBounds = { min: limits.passwordCharsMin, max: limits.passwordCharsMax };
/** Two draws in a row that strike are a clock gone wrong rather than chance. */
const drawsMax = 8;

/** The people of all apps: who they are, and that they are it. Only what others see of them is kept for a while. */
export class Users {
  readonly #deps: UsersDeps;
  readonly #profiles: Profiles;

  constructor(deps: UsersDeps) {
    this.#deps = deps;
    const { profilesKeptMax: usersMax, profilesKeptMs: keptMs } = limits;
    this.#profiles = new Profiles({ clock: deps.clock, usersMax, keptMs });
  }

  /**
   * Makes a user. The name is folded to lower case and taken for good; of several at once that ask for one name, one
   * gets it. Not idempotent: a retry after a lost answer finds the name taken, and can sign in.
   * @param input.displayName null: the user name.
   * @throws {Fault} INVALID_ARGUMENT for the form of any of it; NOT_FOUND for an unknown app;
   *   FAILED_PRECONDITION for a name that is taken; UNAVAILABLE when too many sign in at once.
   */
  async register(input: {
    appId: string;
    username: string;
    password: string;
    displayName: string | null;
  }): Promise<User> {
    const username = checkUsername(input.username);
    const password = checkText('password', input.password, passwordBounds);
    const displayName = checkText('displayName', input.displayName ?? username, displayNameBounds);
    const appId = this.#deps.apps.enter(input.appId);
    const slot = slotOfUser(appId, username);
    const shard = this.#deps.shards.ofSlot(slot);
    // Before the dear part; the insert below is what decides.
    if (await accountByUsername(shard, appId, username)) throw nameTaken();
    const passwordHash = await this.#deps.passwords.hash(password);
    for (let draw = 0; draw < drawsMax; draw += 1) {
      const id = this.#deps.ids.next(slot);
      const user = { id, appId, username, displayName, createdAtMs: this.#deps.clock.now() };
      if ((await insertUser(shard, { user, passwordHash })) === 'inserted') return user;
      if (await accountByUsername(shard, appId, username)) throw nameTaken();
    }
    throw new Error(`no free id for a user in slot ${slot}`);
  }

  /**
   * The user whose name and password these are. Takes the same time whether there is such a user or not.
   * @throws {Fault} UNAUTHENTICATED, whatever of it is wrong, the app included; INVALID_ARGUMENT for half a surrogate
   *   pair; UNAVAILABLE when too many sign in at once.
   */
  async authenticate(input: { appId: string; username: string; password: string }): Promise<User> {
    const { appId, password } = input;
    const username = usernameOf(input.username);
    if (!isWellFormed(password)) {
      throw new Fault('INVALID_ARGUMENT', 'password holds half a surrogate pair');
    }
    const account = username === null ? null : await this.#account(appId, username);
    const isRight = await this.#deps.passwords.matches(password, account?.passwordHash ?? null);
    if (account && isRight) return account.user;
    throw new Fault('UNAUTHENTICATED', 'Wrong user name or password');
  }

  /** Another node has changed that user's profile: what is kept of it counts no more. */
  profileChanged(userId: bigint): void {
    this.#profiles.forget(userId);
  }

  /** As `byIds` would answer them without a statement; null where it would need one. */
  kept(id: bigint): User | null {
    return this.#profiles.get(id);
  }

  /**
   * Those of them that exist, as they are now or were a short while ago. One statement on each shard that is asked for any that
   * are not kept, all at once.
   */
  async byIds(ids: readonly bigint[]): Promise<ReadonlyMap<bigint, User>> {
    const users = new Map<bigint, User>();
    const missing: bigint[] = [];
    for (const id of new Set(ids)) {
      const kept = this.#profiles.get(id);
      if (kept) users.set(id, kept);
      else missing.push(id);
    }
    if (missing.length === 0) return users;
    const turn = this.#profiles.begin();
    const found = await readPerShard(this.#deps.shards, missing, (id) => id, usersByIds);
    for (const user of found.flat()) {
      this.#profiles.keep(user, turn);
      users.set(user.id, user);
    }
    return users;
  }

  /**
   * Null where there is none, also for what can be nobody's name.
   * @throws {Fault} INVALID_ARGUMENT for half a surrogate pair.
   */
  async byUsername(appId: string, username: string): Promise<User | null> {
    const name = usernameOf(username);
    if (name === null) return null;
    return (await this.#account(appId, name))?.user ?? null;
  }

  /**
   * Changes what others see of a user; answers them as they are afterwards. The last one to ask wins. Shows on this node
   * from the answer on, on others as soon as they are told, or within `profilesKeptMs`.
   * @throws {Fault} INVALID_ARGUMENT
   */
  async updateProfile(userId: bigint, input: { displayName: string }): Promise<User> {
    const displayName = checkText('displayName', input.displayName, displayNameBounds);
    const shard = this.#deps.shards.of(userId);
    const exists = await updateDisplayName(shard, userId, displayName);
    assert(exists, 'a viewer is a user');
    this.#deps.onProfileChanged?.(userId);
    const turn = this.#profiles.begin();
    const [user] = await usersByIds(shard, [userId]);
    this.#profiles.keep(present(user, 'a user stays'), turn);
    return present(user, 'a user stays');
  }

  /** An app that is not served has nobody, whatever is left of its rows. */
  async #account(appId: string, username: string) {
    if (!this.#deps.apps.has(appId)) return null;
    const shard = this.#deps.shards.ofSlot(slotOfUser(appId, username));
    return accountByUsername(shard, appId, username);
  }
}

function nameTaken(): Fault {
  return new Fault('FAILED_PRECONDITION', 'That user name is taken');
}
