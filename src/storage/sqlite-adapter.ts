import type {
  IsolationLevel,
  SqlDriverAdapter,
  SqlDriverAdapterFactory,
  SqlQuery,
  SqlResultSet,
  Transaction,
} from '@prisma/driver-adapter-utils';
import { newTransactionNumber } from './sql.sqlite.ts';
import type { SqliteThread } from './sqlite-thread.ts';
import type { Turn, WriterTurns } from './writer-turns.ts';

export interface SqliteAdapterDeps {
  readonly writer: SqliteThread;
  readonly reader: SqliteThread;
  /** Those that the SQL port shares: one connection writes. */
  readonly turns: WriterTurns;
}

const identity = { provider: 'sqlite', adapterName: 'fastim-sqlite-thread' } as const;

/**
 * What the generated client for SQLite talks to: the same threads, in the same turn, as the SQL
 * port.
 */
export function sqliteAdapter(deps: SqliteAdapterDeps): SqlDriverAdapterFactory {
  return { ...identity, connect: () => Promise.resolve(connection(deps)) };
}

function connection({ writer, reader, turns }: SqliteAdapterDeps): SqlDriverAdapter {
  const alone = async <T>(work: () => Promise<T>): Promise<T> => {
    const turn = await turns.enter();
    try {
      return await work();
    } finally {
      turn.end();
    }
  };
  return {
    ...identity,
    queryRaw(query: SqlQuery): Promise<SqlResultSet> {
      // Inserts come this way too, with RETURNING.
      if (/^\s*SELECT\b/i.test(query.sql)) return reader.call({ kind: 'prismaQuery', query });
      return alone(() => writer.call({ kind: 'prismaQuery', query }));
    },
    executeRaw: (query: SqlQuery) => alone(() => writer.call({ kind: 'prismaExecute', query })),
    executeScript: (script: string) =>
      alone(async () => {
        await writer.call({ kind: 'script', script });
      }),
    // Whatever level is asked for: a single writer is as strict as any.
    async startTransaction(_level?: IsolationLevel): Promise<Transaction> {
      return transaction(writer, await turns.enter());
    },
    dispose: () => Promise.resolve(),
  };
}

function transaction(writer: SqliteThread, turn: Turn): Transaction {
  const number = newTransactionNumber();
  const end = async (kind: 'commit' | 'rollback'): Promise<void> => {
    try {
      await writer.call({ kind }, number);
    } catch (error) {
      if (kind === 'commit') await writer.call({ kind: 'rollback' }, number).catch(() => undefined);
      throw error;
    } finally {
      turn.end();
    }
  };
  return {
    ...identity,
    options: { usePhantomQuery: true },
    queryRaw: (query) => writer.call({ kind: 'prismaQuery', query }, number),
    executeRaw: (query) => writer.call({ kind: 'prismaExecute', query }, number),
    commit: () => end('commit'),
    rollback: () => end('rollback'),
  };
}
