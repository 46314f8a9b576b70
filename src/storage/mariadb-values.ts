import type { FieldInfo } from 'mariadb';
import { SqlError, type SqlErrorKind, type SqlValue } from './sql.ts';

/** As the driver wants it: it knows bytes by Buffer alone. */
export function bound(value: SqlValue): SqlValue {
  if (value instanceof Uint8Array && !Buffer.isBuffer(value)) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  return value;
}

type Row = Record<string, unknown>;
type Rows = Row[] & { meta?: readonly FieldInfo[] };

const integerTypes = new Set(['TINY', 'SHORT', 'INT24', 'INT', 'BIGINT']);
const byteTypes = new Set([
  'VARCHAR',
  'VAR_STRING',
  'STRING',
  'BLOB',
  'TINY_BLOB',
  'MEDIUM_BLOB',
  'LONG_BLOB',
]);
/** The number of the collation that makes a text type bytes. */
const binaryCollation = 63;
const decimalTypes = new Set(['DECIMAL', 'NEWDECIMAL']);

/**
 * Puts the driver's values in place as the port promises them: booleans, and expressions' integers
 * as bigint.
 */
export function readRows(rows: Rows): Row[] {
  for (const field of rows.meta ?? []) {
    const read = reading(field);
    if (!read) continue;
    const name = field.name();
    for (const row of rows) {
      const value = row[name];
      if (value !== null) row[name] = read(value);
    }
  }
  return rows;
}

function reading(field: FieldInfo): ((value: unknown) => unknown) | null {
  const type: string = field.type;
  if (byteTypes.has(type)) return field.collation.index === binaryCollation ? plainBytes : null;
  if (!integerTypes.has(type) && !decimalTypes.has(type)) return null;
  // A column of a table has kept its name; an expression has none.
  if (field.orgName() === '') return exact;
  return type === 'TINY' && field.columnLength === 1 ? (value) => Number(value) !== 0 : null;
}

// Not as Buffer: its toString is another one, and SQLite has none.
function plainBytes(value: unknown): unknown {
  if (!Buffer.isBuffer(value)) return value;
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

function exact(value: unknown): unknown {
  if (typeof value === 'number') return BigInt(value);
  if (typeof value === 'string' && /^-?\d+$/.test(value)) return BigInt(value);
  return value;
}

const kinds: Readonly<Record<number, SqlErrorKind>> = {
  1062: 'unique',
  1586: 'unique',
  1213: 'deadlock',
  1205: 'lockTimeout',
  3572: 'lockTimeout',
  1040: 'connection',
  1053: 'connection',
  1077: 'connection',
  1158: 'connection',
  1159: 'connection',
  1160: 'connection',
  1161: 'connection',
  1203: 'connection',
  1927: 'connection',
  3169: 'connection',
  4031: 'connection',
};

/**
 * The driver's own errors have numbers from here on: all of a connection that is gone or not to be
 * had, but for these.
 */
const driverErrorsFrom = 45_000;
const driverMistakes: readonly number[] = [
  45_016, 45_017, 45_018, 45_039, 45_040, 45_043, 45_046, 45_052,
];

const statementCharsShown = 256;

/** @param statement what failed, without its values. */
export function sqlErrorOf(error: unknown, statement = ''): SqlError {
  if (error instanceof SqlError) return error;
  if (!(error instanceof Error)) return new SqlError('other', String(error), { cause: error });
  const { errno, code, sqlMessage, fatal } = error as Partial<
    Record<'errno' | 'code' | 'sqlMessage' | 'fatal', unknown>
  >;
  const kind = kindOf(errno, fatal === true);
  if (typeof sqlMessage !== 'string') return new SqlError(kind, error.message, { cause: error });
  if (statement === '') return new SqlError(kind, sqlMessage, { cause: error });
  const shown = statement.slice(0, statementCharsShown);
  // The driver's own error shows the statement as it was sent, with people's words in it.
  return new SqlError(kind, `${sqlMessage} (${String(code)})\nsql: ${shown}`, {
    cause: error.cause,
  });
}

function kindOf(errno: unknown, isFatal: boolean): SqlErrorKind {
  if (typeof errno !== 'number') return isFatal ? 'connection' : 'other';
  const kind = kinds[errno];
  if (kind) return kind;
  // Errors of the socket have small negative numbers.
  if (errno < 0 || isFatal) return 'connection';
  return errno >= driverErrorsFrom && !driverMistakes.includes(errno) ? 'connection' : 'other';
}
