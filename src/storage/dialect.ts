/** All that differs between the engines in the text of a statement. Everything else is written once, for both. */
export interface Dialect {
  readonly name: 'mysql' | 'sqlite';
  /** After a SELECT inside a transaction: locks the rows. Empty where there is one writer anyway. */
  readonly forUpdate: '' | ' FOR UPDATE';
  /** As `forUpdate`, and passes over rows that another transaction holds. */
  readonly forUpdateSkipLocked: '' | ' FOR UPDATE SKIP LOCKED';
  /** `INSERT IGNORE` / `INSERT OR IGNORE`: rows whose key is there already are passed over. */
  readonly insertIgnore: string;
  /**
   * The tail of an INSERT that updates where a row of that key is there already.
   * `set` is the list of assignments, in which `incoming(column)` is the value that would have been inserted and
   * `Table.column` the present one.
   */
  upsert(keyColumns: readonly string[], set: string): string;
  /** The value that an upsert would have inserted. */
  incoming(column: string): string;
  /** The greatest of several values, none of them NULL. */
  greatest(...values: readonly string[]): string;
  /** The least of several values, none of them NULL. */
  least(...values: readonly string[]): string;
}

/** MySQL 8 and MariaDB 10.11: only what both understand. */
export const mysqlDialect: Dialect = {
  name: 'mysql',
  forUpdate: ' FOR UPDATE',
  forUpdateSkipLocked: ' FOR UPDATE SKIP LOCKED',
  insertIgnore: 'INSERT IGNORE',
  upsert: (_keyColumns, set) => ` ON DUPLICATE KEY UPDATE ${set}`,
  incoming: (column) => `VALUES(${column})`,
  greatest: (...values) => `GREATEST(${values.join(', ')})`,
  least: (...values) => `LEAST(${values.join(', ')})`,
};

export const sqliteDialect: Dialect = {
  name: 'sqlite',
  forUpdate: '',
  forUpdateSkipLocked: '',
  insertIgnore: 'INSERT OR IGNORE',
  upsert: (keyColumns, set) => ` ON CONFLICT (${keyColumns.join(', ')}) DO UPDATE SET ${set}`,
  incoming: (column) => `excluded.${column}`,
  greatest: (...values) => `MAX(${values.join(', ')})`,
  least: (...values) => `MIN(${values.join(', ')})`,
};
