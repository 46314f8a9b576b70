import type { Lifecycle } from '../lib/lifecycle.ts';
import { openMysqlSession, type MysqlSession } from './mysql-session.ts';
import { StartupRefusal } from './startup-refusal.ts';

/** How long a start waits for the server to notice that a node is gone, in seconds. */
const waitSeconds = 2;
/** How often the connection that holds the lock is asked whether it still does. */
const checkMs = 1_000;
/** How long it may take to answer. */
const answerMs = 5_000;

/**
 * Lets one process alone use a MySQL database: a named lock on a connection of its own, which dies
 * with its holder.
 */
export class MysqlNodeLock implements Lifecycle {
  readonly #url: string;
  readonly #onLost: (reason: Error) => void;
  #session: MysqlSession | null = null;
  #timer: NodeJS.Timeout | undefined;
  #isStopping = false;

  constructor(url: string, deps: { onLost: (reason: Error) => void }) {
    this.#url = url;
    this.#onLost = deps.onLost;
  }

  /** @throws {StartupRefusal} when another process holds it. */
  async start(): Promise<void> {
    const session = await openMysqlSession(this.#url);
    if (!(await session.lock('node', waitSeconds))) {
      await session.close();
      throw new StartupRefusal(
        `Another FastIM process uses the database ${session.label}. Without Redis one process alone may: stop it first.`,
      );
    }
    this.#session = session;
    session.connection.on('end', () => this.#lose('its connection ended'));
    session.connection.on('error', () => this.#lose('its connection failed'));
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#timer);
    await this.#session?.close();
    this.#session = null;
  }

  #schedule(): void {
    this.#timer = setTimeout(() => void this.#check(), checkMs);
    this.#timer.unref();
  }

  async #check(): Promise<void> {
    const session = this.#session;
    if (!session || this.#isStopping) return;
    const late = setTimeout(
      () => this.#lose(`its connection has not answered for ${answerMs} ms`),
      answerMs,
    );
    try {
      await session.query('SELECT 1 AS one');
      this.#schedule();
    } catch {
      this.#lose('its connection failed');
    } finally {
      clearTimeout(late);
    }
  }

  #lose(why: string): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    clearTimeout(this.#timer);
    const label = this.#session?.label ?? '';
    this.#session?.connection.destroy();
    this.#onLost(new Error(`The lock that lets this process alone use ${label} is lost: ${why}.`));
  }
}
