import type { Clock } from '../../lib/clock.ts';
import type { Lifecycle } from '../../lib/lifecycle.ts';
import type { Logger } from '../../lib/log.ts';
import { present } from '../../lib/assert.ts';
import { utf8 } from '../../lib/text.ts';
import type { ShardMap } from '../../storage/per-shard.ts';
import type { SqlReader } from '../../storage/sql.ts';
import { noRules, parseRules, type GateRules } from './rules.ts';

/** Rules as they hold. */
export interface HeldRules {
  readonly rules: GateRules;
  /** One more with each change; 0: there never was one. */
  readonly revision: number;
  readonly changedAtMs: number | null;
}

export interface RuleBookDeps {
  readonly shards: Pick<ShardMap, 'all'>;
  /** No other node can change them. */
  readonly isAlone: boolean;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: { readonly gateReportMs: number };
}

interface SettingRow {
  readonly revision: number;
  readonly value: string;
  readonly changedAtMs: bigint;
}

const settingName = utf8('gate-rules');

/**
 * The rules of the LSB, on the first shard, since a Redis may be emptied: each node reads them at start, and looks now and
 * then whether there are others. While the shard is away those hold that it read last.
 */
export class GateRuleBook implements Lifecycle {
  readonly #deps: RuleBookDeps;
  #held: HeldRules = { rules: noRules, revision: 0, changedAtMs: null };
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> = Promise.resolve();
  #isFailing = false;
  #isStopped = false;

  constructor(deps: RuleBookDeps) {
    this.#deps = deps;
  }

  get held(): HeldRules {
    return this.#held;
  }

  async start(): Promise<void> {
    this.#isStopped = false;
    await this.#look();
    this.#lookLater();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#reading;
  }

  /**
   * Puts others in their place: here at once, on other nodes within `gateReportMs`.
   * @param value as the operator wrote it.
   * @throws {Fault} INVALID_ARGUMENT that names every mistake; the old ones stay.
   */
  async replace(value: unknown): Promise<HeldRules> {
    const rules = parseRules(value);
    const { clock } = this.#deps;
    const { dialect } = this.#sql;
    const set = ['value', 'changedAtMs'].map((column) => `${column} = ${dialect.incoming(column)}`);
    const tail = dialect.upsert(['name'], ['revision = Setting.revision + 1', ...set].join(', '));
    const row = await this.#sql.transaction(async (tx) => {
      const text = 'INSERT INTO Setting (name, revision, value, changedAtMs) VALUES (?, 1, ?, ?)';
      await tx.execute(text + tail, [settingName, JSON.stringify(rules), clock.now()]);
      return present(await this.#read(tx), 'what was just written is there');
    });
    this.#hold(row);
    return this.#held;
  }

  get #sql() {
    return present(this.#deps.shards.all[0], 'there is a shard').sql;
  }

  async #read(from: SqlReader): Promise<SettingRow | undefined> {
    const text = 'SELECT revision, value, changedAtMs FROM Setting WHERE name = ?';
    const [row] = await from.query<SettingRow>(text, [settingName]);
    return row;
  }

  /** An answer that is older than what holds is one that was asked for before it. */
  #hold({ revision, value, changedAtMs }: SettingRow): void {
    if (revision <= this.#held.revision) return;
    const rules = parseRules(JSON.parse(value));
    this.#held = { rules, revision, changedAtMs: Number(changedAtMs) };
    this.#deps.log.info({ revision }, 'lsb.rules');
  }

  async #look(): Promise<void> {
    try {
      const row = await this.#read(this.#sql);
      if (row) this.#hold(row);
      this.#isFailing = false;
    } catch (err) {
      if (!this.#isFailing) this.#deps.log.warn({ err }, 'lsb.rules_unread');
      this.#isFailing = true;
    }
  }

  #lookLater(): void {
    if (this.#isStopped || this.#deps.isAlone) return;
    this.#timer = setTimeout(() => {
      this.#reading = this.#look().then(() => this.#lookLater());
    }, this.#deps.limits.gateReportMs);
  }
}
