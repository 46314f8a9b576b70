import { present } from '../../src/lib/assert.ts';
import type { ShardMap } from '../../src/storage/per-shard.ts';
import type { Shard } from '../../src/storage/shards.ts';
import type { Sql, SqlReader, SqlTransaction, Statement } from '../../src/storage/sql.ts';

/** Shards that write down every statement that goes to them through `sql`. */
export class CountingShards implements ShardMap {
  readonly all: readonly Shard[];
  /** Runs before each transaction begins: what others commit between a reading and a writing. */
  beforeTransaction: () => Promise<void> = () => Promise.resolve();
  readonly #of: (id: bigint) => number;
  readonly #texts: string[][];

  constructor(shards: ShardMap) {
    this.#texts = shards.all.map(() => []);
    this.all = shards.all.map((shard) => ({
      index: shard.index,
      prisma: shard.prisma,
      sql: counting(shard.sql, present(this.#texts[shard.index], 'a list a shard'), () =>
        this.beforeTransaction(),
      ),
    }));
    this.#of = (id) => shards.of(id).index;
  }

  of(id: bigint): Shard {
    return present(this.all[this.#of(id)], 'a shard');
  }

  ofSlot(slot: number): Shard {
    return this.of(BigInt(slot));
  }

  /** The statements that went to all shards since the last call. */
  takeTexts(): string[] {
    return this.#texts.flatMap((texts) => texts.splice(0));
  }

  /** How many statements went to each shard since the last call; BEGIN and COMMIT do not count. */
  take(): number[] {
    return this.#texts.map((texts) => texts.splice(0).length);
  }
}

function counting(sql: Sql, texts: string[], before: () => Promise<void>): Sql {
  const reader = (inner: SqlReader): SqlReader => ({
    query: (text, params) => {
      texts.push(text);
      return inner.query(text, params);
    },
  });
  const transaction = (tx: SqlTransaction): SqlTransaction => ({
    ...reader(tx),
    execute: (text, params) => {
      texts.push(text);
      return tx.execute(text, params);
    },
    pipeline: (statements) => {
      texts.push(...statements.map(textOf));
      return tx.pipeline(statements);
    },
    finish: (statements) => {
      texts.push(...statements.map(textOf));
      return tx.finish(statements);
    },
  });
  return {
    ...reader(sql),
    dialect: sql.dialect,
    execute: (text, params) => {
      texts.push(text);
      return sql.execute(text, params);
    },
    transaction: async (work) => {
      await before();
      return sql.transaction((tx) => work(transaction(tx)));
    },
  };
}

function textOf(statement: Statement): string {
  return 'text' in statement ? statement.text : `INSERT INTO ${statement.table}`;
}
