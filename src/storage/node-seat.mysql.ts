import type { Lifecycle } from '../lib/lifecycle.ts';
import { openMysqlSession, type MysqlSession } from './mysql-session.ts';
import { StartupRefusal } from './startup-refusal.ts';

/** Nodes that may share a cluster's shards. */
const seatsMax = 128;
/** How often the connection that holds the seat is asked whether it still does. */
const checkMs = 1_000;
const factName = Buffer.from('joinedBy');
const seats = Array.from({ length: seatsMax }, (_, index) => `seat${index}`);

/**
 * Lets a node prove, before it takes part, that it fits to those that live on the same shards: either it is alone, or all
 * are joined by the same. The caller keeps other starts out until this one has its lock or its seat.
 * @param joinedBy what joins nodes; null: nothing, it is to be alone.
 * @throws {StartupRefusal} where it does not.
 */
export async function proveCompany(session: MysqlSession, joinedBy: string | null): Promise<void> {
  const { label } = session;
  const hasCompany = await session.isAnyLocked(seats);
  if (joinedBy === null) {
    if (!hasCompany) return;
    throw new StartupRefusal(
      `Nodes that a Redis joins use the database ${label}: set REDIS_URLS as they have it, or stop them.`,
    );
  }
  if (await session.isAnyLocked(['node'])) {
    throw new StartupRefusal(
      `A FastIM process without REDIS_URLS uses the database ${label}: stop it, or start it with them.`,
    );
  }
  const [row] = await session.query('SELECT value FROM ShardFact WHERE name = ?', [factName]);
  const known = row === undefined ? null : String(row['value']);
  if (known === joinedBy) return;
  if (hasCompany) {
    throw new StartupRefusal(
      `The nodes that use the database ${label} have other REDIS_URLS (${known}, not ${joinedBy}): all need the same, in the same order. Stop all of them to change it.`,
    );
  }
  const text =
    known === null
      ? 'INSERT INTO ShardFact (value, name) VALUES (?, ?)'
      : 'UPDATE ShardFact SET value = ? WHERE name = ?';
  await session.execute(text, [joinedBy, factName]);
}

/** Shows others that a node lives: one of many locks, on a connection of its own, which dies with its holder. */
export class MysqlNodeSeat implements Lifecycle {
  readonly #url: string;
  #session: MysqlSession | null = null;
  #timer: NodeJS.Timeout | undefined;
  #checking: Promise<void> | null = null;
  #isStopped = false;

  constructor(url: string) {
    this.#url = url;
  }

  /** @throws {StartupRefusal} where all are taken. */
  async start(): Promise<void> {
    if (!(await this.#take())) {
      throw new StartupRefusal(`${seatsMax} nodes share these databases already.`);
    }
    this.#later();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#checking;
    await this.#session?.close();
  }

  async #take(): Promise<boolean> {
    const session = await openMysqlSession(this.#url);
    for (const seat of seats) {
      if (await session.lock(seat, 0)) {
        this.#session = session;
        return true;
      }
    }
    await session.close();
    return false;
  }

  #later(): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => {
      this.#checking = this.#check().finally(() => this.#later());
    }, checkMs);
    this.#timer.unref();
  }

  /** Where the connection is lost it takes another seat: what was proven at the start still holds. */
  async #check(): Promise<void> {
    try {
      if (this.#session) await this.#session.query('SELECT 1 AS one');
      else await this.#take();
    } catch {
      this.#session?.connection.destroy();
      this.#session = null;
    }
  }
}
