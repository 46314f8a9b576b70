import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { present } from '../../src/lib/assert.ts';
import type { Sql } from '../../src/storage/sql.ts';
import { sqliteSchemaOf } from '../../tools/prisma-schema.ts';
import { parseModels, type ModelColumn, type ModelTable } from '../support/prisma-model.ts';
import { sqlEngines, type OpenEngine } from '../support/sql-engines.ts';

// The schema says what the generated clients and the statements believe; the migrations make what
// is. They must agree.

const schema = readFileSync(new URL('../../prisma/schema.prisma', import.meta.url), 'utf8');
const models = parseModels(schema);

/** One line for each fact: two lists that differ show where. */
type Facts = string[];

function wantedFacts(tables: readonly ModelTable[], typeOf: TypeOf): Facts {
  return tables
    .flatMap((table) => [
      ...table.columns.map(
        (column) =>
          `${table.name}.${column.name}: ${typeOf(column, table)}${column.isNullable ? '' : ' NOT NULL'}` +
          `${column.defaultValue === null ? '' : ` DEFAULT ${column.defaultValue}`}${column.isDrawn ? ' drawn' : ''}`,
      ),
      `${table.name} primary (${table.primaryKey.join(', ')})`,
      ...table.indexes.map(
        (index) =>
          `${table.name} ${index.isUnique ? 'unique' : 'index'} ${index.name} (${index.columns.join(', ')})`,
      ),
    ])
    .sort();
}

type TypeOf = (column: ModelColumn, table: ModelTable) => string;

const mysqlTypes: Readonly<Record<string, string>> = {
  BigInt: 'bigint',
  Int: 'int',
  Boolean: 'tinyint(1)',
  TinyInt: 'tinyint',
  SmallInt: 'smallint',
  UnsignedInt: 'int unsigned',
  UnsignedBigInt: 'bigint unsigned',
  LongText: 'longtext',
  MediumText: 'mediumtext',
  LongBlob: 'longblob',
};

const mysqlTypeOf: TypeOf = ({ type, nativeType }) =>
  mysqlTypes[nativeType ?? type] ?? (nativeType ?? type).toLowerCase();

const sqliteTypes = {
  BigInt: 'BIGINT',
  Int: 'INT',
  Boolean: 'BOOLEAN',
  Bytes: 'BLOB',
  String: 'TEXT',
};

/** A BigInt that is the whole key is the row id. */
const sqliteTypeOf: TypeOf = ({ type, name }, { primaryKey }) =>
  type === 'BigInt' && primaryKey.length === 1 && primaryKey[0] === name
    ? 'INTEGER'
    : sqliteTypes[type];

async function mysqlFacts(sql: Sql): Promise<Facts> {
  const columns = await sql.query<Record<string, string>>(
    `SELECT table_name AS t, column_name AS c, column_type AS type, is_nullable AS nullable, column_default AS d, extra AS more
     FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name <> '_prisma_migrations'`,
  );
  const keys = await sql.query<Record<string, string>>(
    `SELECT table_name AS t, index_name AS name, non_unique AS plain,
       GROUP_CONCAT(column_name ORDER BY seq_in_index SEPARATOR ', ') AS c
     FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name <> '_prisma_migrations'
     GROUP BY table_name, index_name, non_unique`,
  );
  return [
    ...columns.map((row) => {
      // Display widths mean nothing but for the one that is a boolean.
      const type = String(row['type']).replace(/(int)\((?!1\))\d+\)/, '$1');
      const byDefault = row['d'] == null || row['d'] === 'NULL' ? '' : ` DEFAULT ${row['d']}`;
      const drawn = String(row['more']).includes('auto_increment') ? ' drawn' : '';
      return `${row['t']}.${row['c']}: ${type}${row['nullable'] === 'NO' ? ' NOT NULL' : ''}${byDefault}${drawn}`;
    }),
    ...keys.map((row) => {
      if (row['name'] === 'PRIMARY') return `${row['t']} primary (${row['c']})`;
      return `${row['t']} ${Number(row['plain']) === 0 ? 'unique' : 'index'} ${row['name']} (${row['c']})`;
    }),
  ].sort();
}

/** Columns that take NULL, and another value where an insert does not name them. */
async function notNullUnnamed(sql: Sql): Promise<string[]> {
  const found = await sql.query<{ t: string; c: string }>(
    `SELECT table_name AS t, column_name AS c FROM information_schema.columns
     WHERE table_schema = DATABASE() AND is_nullable = 'YES'
       AND (COALESCE(column_default, 'NULL') <> 'NULL' OR COALESCE(generation_expression, '') <> '')
     ORDER BY t, c`,
  );
  return found.map(({ t, c }) => `${t}.${c}`);
}

async function sqliteFacts(sql: Sql): Promise<Facts> {
  const tables = await sql.query<{ name: string; sql: string }>(
    `SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> '_prisma_migrations'`,
  );
  const facts: Facts = [];
  for (const table of tables) {
    const columns = await sql.query<Record<string, string | bigint | null>>(
      `SELECT name, type, "notnull" AS required, dflt_value AS byDefault, pk FROM pragma_table_info(?)`,
      [table.name],
    );
    for (const column of columns) {
      const drawn = Number(column['pk']) > 0 && /AUTOINCREMENT/i.test(table.sql) ? ' drawn' : '';
      const byDefault =
        column['byDefault'] === null ? '' : ` DEFAULT ${String(column['byDefault'])}`;
      const required = Number(column['required']) === 1 ? ' NOT NULL' : '';
      facts.push(
        `${table.name}.${String(column['name'])}: ${String(column['type'])}${required}${byDefault}${drawn}`,
      );
    }
    const key = columns
      .filter((column) => Number(column['pk']) > 0)
      .sort((a, b) => Number(a['pk']) - Number(b['pk']));
    facts.push(`${table.name} primary (${key.map((column) => String(column['name'])).join(', ')})`);
    const indexes = await sql.query<{ name: string; isUnique: bigint }>(
      `SELECT name, "unique" AS isUnique FROM pragma_index_list(?) WHERE origin <> 'pk'`,
      [table.name],
    );
    for (const index of indexes) {
      const parts = await sql.query<{ name: string }>(
        'SELECT name FROM pragma_index_info(?) ORDER BY seqno',
        [index.name],
      );
      const list = parts.map((part) => part.name).join(', ');
      facts.push(
        `${table.name} ${index.isUnique === 1n ? 'unique' : 'index'} ${index.name} (${list})`,
      );
    }
  }
  return facts.sort();
}

const engines = {
  mysql: { facts: mysqlFacts, typeOf: mysqlTypeOf },
  sqlite: { facts: sqliteFacts, typeOf: sqliteTypeOf },
};

/** What could drift. */
const drifts = [
  'ALTER TABLE User ADD COLUMN planted INT',
  'CREATE INDEX stray ON Message (senderId)',
  'CREATE TABLE Planted (id BIGINT NOT NULL PRIMARY KEY)',
  'DROP TABLE Watermark',
  'ALTER TABLE Session RENAME COLUMN platform TO planted',
];

test('the schema is one that these tests understand', () => {
  expect(models.map((model) => model.name)).toContain('Message');
  expect(models.every((model) => model.primaryKey.length > 0)).toBe(true);
});

test('the derived schema is the one that the client for SQLite was generated from', () => {
  const derived = readFileSync(new URL('../../prisma/sqlite.prisma', import.meta.url), 'utf8');
  expect(derived).toBe(sqliteSchemaOf(schema));
  expect(derived).not.toMatch(/@db\.|"mysql"/);
});

for (const engine of sqlEngines) {
  describe.skipIf(!engine.isHere())(`the tables on ${engine.name}`, () => {
    const { facts, typeOf } = engines[engine.name];
    const wanted = wantedFacts(models, typeOf);
    let opened: OpenEngine;
    let sql: Sql;
    beforeAll(async () => {
      opened = await engine.open();
      sql = present(opened.shards.all[0], 'a shard').sql;
    });
    afterAll(() => opened?.[Symbol.asyncDispose]());

    test('are those of the schema', async () => {
      expect(await facts(sql)).toEqual(wanted);
    });

    if (engine.name === 'mysql') {
      test('are InnoDB, and compare text by its bytes', async () => {
        const made = await sql.query(
          `SELECT DISTINCT engine AS engine, table_collation AS collation FROM information_schema.tables
           WHERE table_schema = DATABASE() AND table_name <> '_prisma_migrations'`,
        );
        expect(made).toEqual([{ engine: 'InnoDB', collation: 'utf8mb4_bin' }]);
      });

      // An insert leaves out columns that are NULL in all its rows (src/storage/mariadb-inserts.ts).
      test('have no default for what may be NULL', async () => {
        expect(await notNullUnnamed(sql)).toEqual([]);
        await using planted = await engine.open();
        const { sql: drifted } = present(planted.shards.all[0], 'a shard');
        await drifted.execute('ALTER TABLE Session ALTER COLUMN endReason SET DEFAULT 0');
        await drifted.execute('ALTER TABLE Message ADD COLUMN planted INT AS (seq - 1) VIRTUAL');
        expect(await notNullUnnamed(drifted)).toEqual(['Message.planted', 'Session.endReason']);
      });
    }

    test('would be seen to drift', async () => {
      await using planted = await engine.open();
      const { sql: drifted } = present(planted.shards.all[0], 'a shard');
      let before = await facts(drifted);
      expect(before).toEqual(wanted);
      for (const drift of drifts) {
        await drifted.execute(drift);
        const after = await facts(drifted);
        expect(after, drift).not.toEqual(before);
        before = after;
      }
    });
  });
}
