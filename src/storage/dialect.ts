/**
 * All that differs between the engines in the text of a statement. Everything else is written once,
 * for both.
 */
export interface Dialect {
  readonly name: 'mysql' | 'sqlite';
  /**
   * After a SELECT inside a transaction: locks the rows. Empty where there is one writer anyway.
   */
  readonly forUpdate: '' | ' FOR UPDATE';
  /** As `forUpdate`, and passes over rows that another transaction holds. */
  readonly forUpdateSkipLocked: '' | ' FOR UPDATE SKIP LOCKED';
  /**
   * The tail of an INSERT that passes over rows whose key is there already. `affectedRows` then
   * counts them or not, by engine: whoever must know what was new inserts plainly and looks at the
   * error.
   */
  ignoreDuplicate(keyColumns: readonly string[]): string;
  /**
   * The tail of an INSERT that updates where a row of that key is there already. `set` is the list
   * of assignments, in which `incoming(column)` is the value that would have been inserted and
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
  // Not INSERT IGNORE: that lets values that do not fit pass as well.
  ignoreDuplicate: ([column]) => ` ON DUPLICATE KEY UPDATE ${column} = ${column}`,
  upsert: (_keyColumns, set) => ` ON DUPLICATE KEY UPDATE ${set}`,
  incoming: (column) => `VALUES(${column})`,
  greatest: (...values) => `GREATEST(${values.join(', ')})`,
  least: (...values) => `LEAST(${values.join(', ')})`,
};

export const sqliteDialect: Dialect = {
  name: 'sqlite',
  forUpdate: '',
  forUpdateSkipLocked: '',
  ignoreDuplicate: () => ' ON CONFLICT DO NOTHING',
  upsert: (keyColumns, set) => ` ON CONFLICT (${keyColumns.join(', ')}) DO UPDATE SET ${set}`,
  incoming: (column) => `excluded.${column}`,
  greatest: (...values) => `MAX(${values.join(', ')})`,
  least: (...values) => `MIN(${values.join(', ')})`,
};
