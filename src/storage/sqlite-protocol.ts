import type { SqlQuery, SqlResultSet } from '@prisma/driver-adapter-utils';
import type { SqlErrorKind, SqlResult, SqlValue, TextStatement } from './sql.ts';

/** What the thread is told when it starts. */
export interface SqliteWorkerData {
  readonly file: string;
  readonly isReader: boolean;
}

/** What the thread is asked to do; answered in the order of asking. */
export type SqliteTask =
  | { readonly kind: 'query'; readonly text: string; readonly params: readonly SqlValue[] }
  | {
      readonly kind: 'execute';
      readonly statements: readonly TextStatement[];
      /** Whether the transaction is committed behind them. */
      readonly commits?: boolean;
    }
  | { readonly kind: 'script'; readonly script: string }
  | { readonly kind: 'prismaQuery'; readonly query: SqlQuery }
  | { readonly kind: 'prismaExecute'; readonly query: SqlQuery }
  | { readonly kind: 'commit' }
  | { readonly kind: 'rollback' }
  | { readonly kind: 'close' };

/**
 * A task and its place in a transaction. `transaction` is its number; the first task that names a
 * number begins it. When one of its tasks has failed, those after it are refused until it is rolled
 * back.
 */
export interface SqliteRequest {
  readonly id: number;
  readonly transaction: number | null;
  readonly task: SqliteTask;
}

export interface SqliteAnswers {
  query: Record<string, unknown>[];
  execute: SqlResult[];
  script: null;
  prismaQuery: SqlResultSet;
  prismaExecute: number;
  commit: null;
  rollback: null;
  close: null;
}

export type SqliteFailure =
  | { readonly from: 'sql'; readonly kind: SqlErrorKind; readonly message: string }
  /** The payload of Prisma's DriverAdapterError. */
  | { readonly from: 'prisma'; readonly payload: unknown; readonly message: string };

export type SqliteAnswer =
  | { readonly id: number; readonly value: SqliteAnswers[keyof SqliteAnswers] }
  | { readonly id: number; readonly failure: SqliteFailure };
