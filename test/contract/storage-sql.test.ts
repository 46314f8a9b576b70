import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { present } from '../../src/lib/assert.ts';
import { insertRows } from '../../src/storage/inserts.ts';
import { marks, rowMarks, type Sql, type SqlValue } from '../../src/storage/sql.ts';
import { sqlEngines, type OpenEngine } from '../support/sql-engines.ts';

const failure = (kind: string) => expect.objectContaining({ name: 'SqlError', kind });
/** Tables of the test's own, so that it does not hang on what the real ones are for. */
const shared = [
  `CREATE TABLE Sample (big BIGINT NOT NULL PRIMARY KEY, low BIGINT, tiny TINYINT, whole INT, positive INT UNSIGNED,
     flag BOOLEAN, raw VARBINARY(64), word VARCHAR(128), absent VARCHAR(9))`,
  'CREATE TABLE Entry (list BIGINT NOT NULL, number INT NOT NULL, value INT NOT NULL, PRIMARY KEY (list, number))',
];
const tables = {
  mysql: [
    ...shared,
    'CREATE TABLE Drawn (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, word TEXT)',
  ],
  sqlite: [...shared, 'CREATE TABLE Drawn (id INTEGER PRIMARY KEY AUTOINCREMENT, word TEXT)'],
};
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test('marks stand for lists and for rows', () => {
  expect(marks(3)).toBe('?, ?, ?');
  expect(rowMarks(2, 2)).toBe('(?, ?), (?, ?)');
});

for (const engine of sqlEngines) {
  describe.skipIf(!engine.isHere())(`the SQL port on ${engine.name}`, () => {
    let opened: OpenEngine;
    let sql: Sql;
    beforeAll(async () => {
      opened = await engine.open();
      sql = present(opened.shards.all[0], 'a shard').sql;
      for (const table of tables[engine.name]) await sql.execute(table);
    });
    afterAll(() => opened?.[Symbol.asyncDispose]());

    /** Rows of a list that no other test has. */
    let lastList = 1_000n;
    const newList = (): bigint => ++lastList;
    const insertEntry = 'INSERT INTO Entry (list, number, value) VALUES';
    const numbers = async (list: bigint): Promise<number[]> => {
      const rows = await sql.query<{ number: number }>(
        'SELECT number FROM Entry WHERE list = ? ORDER BY number',
        [list],
      );
      return rows.map((row) => row.number);
    };

    describe('values', () => {
      const sample = {
        big: 2n ** 63n - 1n,
        low: -(2n ** 62n),
        tiny: -128,
        whole: 2 ** 31 - 1,
        positive: 2 ** 32 - 1,
        flag: true,
        raw: new Uint8Array([0, 1, 39, 92, 127, 128, 255]),
        word: 'O\'Hara \\ "quoted" 🧧 \r\n ? ` % _ 中',
        absent: null,
      };

      test('come back as they went in, by the type of their column', async () => {
        await sql.execute(`INSERT INTO Sample VALUES ${rowMarks(1, 9)}`, Object.values(sample));
        const [row] = await sql.query<typeof sample>('SELECT * FROM Sample WHERE big = ?', [
          sample.big,
        ]);
        expect(row).toEqual(sample);
        const plain = { ...sample, big: 1n, raw: new Uint8Array(0), word: '', flag: false };
        await sql.execute(`INSERT INTO Sample VALUES ${rowMarks(1, 9)}`, Object.values(plain));
        const [other] = await sql.query<typeof sample>('SELECT * FROM Sample WHERE big = 1');
        expect({ ...other, raw: [...present(other, 'the row').raw] }).toEqual({
          ...plain,
          raw: [],
        });
      });

      test('integers of expressions are bigint, whatever their size', async () => {
        await sql.execute(`INSERT INTO Entry VALUES ${rowMarks(2, 3)}`, [1, 1, 4, 1, 2, 8]);
        const [row] = await sql.query(
          `SELECT COUNT(*) AS n, SUM(value) AS total, MAX(value) AS top, MAX(list) AS last,
             MIN(value) + 1 AS more, 7 AS seven, MAX(value) > 4 AS isMore, MAX(NULL) AS none,
             MAX('x') AS word
           FROM Entry WHERE list = ?`,
          [1],
        );
        expect(row).toEqual({
          n: 2n,
          total: 12n,
          top: 8n,
          last: 1n,
          more: 5n,
          seven: 1n * 7n,
          isMore: 1n,
          none: null,
          word: 'x',
        });
      });

      test('columns of joins, aliases and derived tables keep their types', async () => {
        await sql.execute('INSERT INTO Entry VALUES (2, 9, 3)');
        const rows = await sql.query(
          `SELECT a.number AS who, b.value AS upTo, b.total
           FROM Entry a JOIN (SELECT number, value, COUNT(*) AS total FROM Entry
             WHERE list = 2 GROUP BY number, value) b ON b.number = a.number
           WHERE a.list = 2`,
        );
        expect(rows).toEqual([{ who: 9, upTo: 3, total: 1n }]);
      });

      test('a number may limit a page, and booleans are conditions', async () => {
        expect(await sql.query('SELECT big FROM Sample ORDER BY big LIMIT ?', [1])).toHaveLength(1);
        expect(
          await sql.query('SELECT big FROM Sample WHERE flag = ? AND big > ?', [false, 1]),
        ).toEqual([]);
      });

      test('bytes tell texts apart that a collation takes as one', async () => {
        const words = ['x', 'X', 'x ', 'é', 'e'];
        for (const [index, word] of words.entries()) {
          await sql.execute('INSERT INTO Sample (big, raw) VALUES (?, ?)', [
            100 + index,
            bytes(word),
          ]);
        }
        const found = await sql.query('SELECT big FROM Sample WHERE raw = ?', [bytes('x ')]);
        expect(found).toEqual([{ big: 102n }]);
      });

      test('long texts come back as they went in, beside short ones', async () => {
        const words = ['?', "'é\\?".repeat(10_000), "x'"];
        const rows = words.map((word) => [word]);
        const [inserted] = insertRows('Drawn', ['word'], rows);
        await sql.transaction((tx) => tx.finish([present(inserted, 'a statement')]));
        await sql.execute('INSERT INTO Drawn (word) VALUES (?), (?), (?)', words);
        const found = await sql.query<{ word: string }>('SELECT word FROM Drawn ORDER BY id');
        expect(found.slice(-6).map(({ word }) => word)).toEqual([...words, ...words]);
      });

      test('a value is never taken for SQL', async () => {
        const nasty = ["'; DROP TABLE User; --", "\\'; --", '" OR 1=1', '\u001a\n\\0'];
        const rows = await sql.query(
          `SELECT ${nasty.map((_, index) => `? AS v${index}`).join(', ')}`,
          nasty,
        );
        expect(Object.values(present(rows[0], 'a row'))).toEqual(nasty);
      });
    });

    describe('statements', () => {
      test('say how many rows they met, and which id was drawn', async () => {
        const list = newList();
        const inserted = await sql.execute(`${insertEntry} ${rowMarks(3, 3)}`, [
          ...[list, 1, 1],
          ...[list, 2, 1],
          ...[list, 3, 2],
        ]);
        expect(inserted.affectedRows).toBe(3);
        const same = await sql.execute('UPDATE Entry SET value = value WHERE list = ?', [list]);
        expect(same.affectedRows).toBe(3);
        const first = await sql.execute('INSERT INTO Drawn (word) VALUES (?)', ['a']);
        const second = await sql.execute('INSERT INTO Drawn (word) VALUES (?)', ['b']);
        expect(second.insertId - first.insertId).toBe(1n);
        expect(await sql.query('SELECT word FROM Drawn WHERE id = ?', [second.insertId])).toEqual([
          { word: 'b' },
        ]);
      });

      test('see what was committed before they were called', async () => {
        const list = newList();
        for (let seq = 1; seq <= 50; seq += 1) {
          await sql.execute(`${insertEntry} (?, ?, 1)`, [list, seq]);
          expect(await numbers(list)).toHaveLength(seq);
        }
      });

      test('upsert and pass over what is there, as the dialect says', async () => {
        const { dialect } = sql;
        const list = newList();
        const upsert = (value: number) =>
          sql.execute(
            `INSERT INTO Entry (list, number, value) VALUES (?, 1, ?)${dialect.upsert(
              ['list', 'number'],
              `value = ${dialect.greatest('Entry.value', dialect.incoming('value'))}`,
            )}`,
            [list, value],
          );
        const read = () => sql.query('SELECT value FROM Entry WHERE list = ?', [list]);
        await upsert(5);
        expect(await read()).toEqual([{ value: 5 }]);
        await upsert(9);
        await upsert(3);
        expect(await read()).toEqual([{ value: 9 }]);
        await sql.execute(
          `INSERT INTO Entry VALUES (?, 1, 1), (?, 2, 2)${dialect.ignoreDuplicate(['number'])}`,
          [list, list],
        );
        expect(await read()).toEqual([{ value: 9 }, { value: 2 }]);
      });

      test('fail with a kind, and the next one works', async () => {
        const list = newList();
        await sql.execute(`${insertEntry} (?, 1, 1)`, [list]);
        await expect(sql.execute(`${insertEntry} (?, 1, 2)`, [list])).rejects.toEqual(
          failure('unique'),
        );
        await expect(sql.query('SELEC 1')).rejects.toEqual(failure('other'));
        await expect(sql.query('SELECT 1 FROM NoTable')).rejects.toEqual(failure('other'));
        await expect(sql.execute(`${insertEntry} (?, 2, NULL)`, [list])).rejects.toEqual(
          failure('other'),
        );
        expect(await numbers(list)).toEqual([1]);
      });
    });

    describe('rows', () => {
      const columns = ['big', 'low', 'tiny', 'whole', 'positive', 'flag', 'raw', 'word', 'absent'];
      let lastBig = 10_000n;
      /** Some columns are the same in all rows, some NULL in all, some now and then, some but for one row. */
      const newRow = (index: number): SqlValue[] => {
        lastBig += 1n;
        const word = index % 5 === 0 ? null : `${index} 'x' ? ?1 $1 \\`;
        return [
          lastBig,
          index === 10 ? 3n : -7n,
          5,
          index,
          2 ** 32 - 1,
          index % 2 === 0,
          bytes(`b${index}`),
          word,
          null,
        ];
      };
      const since = (big: bigint) =>
        sql.query<Record<string, SqlValue>>(
          'SELECT * FROM Sample WHERE big > ? AND big < 1000000 ORDER BY big',
          [big],
        );

      test('come back as they were inserted, however many', async () => {
        for (const count of [1, 2, 3, 15, 16, 17, 127, 300, 1_100]) {
          const before = lastBig;
          const rows = Array.from({ length: count }, (_, index) => newRow(index));
          const results = await sql.transaction((tx) =>
            tx.pipeline([
              { text: 'UPDATE Sample SET whole = 0 WHERE big < 0' },
              ...insertRows('Sample', columns, rows),
              { text: 'INSERT INTO Drawn (word) VALUES (?)', params: ['x'] },
            ]),
          );
          expect(results.map((one) => one.affectedRows)).toEqual([0, count, 1]);
          expect(results[2]?.insertId).toBeGreaterThan(0n);
          const read = await since(before);
          expect(read.map((row) => columns.map((column) => row[column]))).toEqual(rows);
        }
      });

      test('are none, or all', async () => {
        expect(insertRows('Sample', columns, [])).toEqual([]);
        const before = lastBig;
        const rows = Array.from({ length: 40 }, (_, index) => newRow(index));
        const again = rows[39] ?? [];
        const work = sql.transaction((tx) =>
          tx.finish(insertRows('Sample', columns, [...rows, again])),
        );
        await expect(work).rejects.toEqual(failure('unique'));
        expect(await since(before)).toEqual([]);
      });

      test('update what is there, with what each would have inserted', async () => {
        const list = newList();
        const rowsOf = (value: number) =>
          Array.from({ length: 100 }, (_, number) => [list, number, value + number]);
        const set = `value = ${sql.dialect.greatest('Entry.value', sql.dialect.incoming('value'))}`;
        const tail = sql.dialect.upsert(['list', 'number'], set);
        for (const value of [5, 50, 7]) {
          const rows = rowsOf(value);
          await sql.transaction((tx) =>
            tx.finish(insertRows('Entry', ['list', 'number', 'value'], rows, tail)),
          );
        }
        const text = 'SELECT value FROM Entry WHERE list = ? ORDER BY number';
        expect(await sql.query(text, [list])).toEqual(rowsOf(50).map(([, , value]) => ({ value })));
      });

      test('update with NULL where that is in all rows', async () => {
        const before = lastBig;
        const rows = Array.from({ length: 20 }, (_, index) => newRow(index));
        await sql.transaction((tx) => tx.finish(insertRows('Sample', columns, rows)));
        const tail = sql.dialect.upsert(['big'], `word = ${sql.dialect.incoming('word')}`);
        const emptied = (count: number) => rows.slice(0, count).map(([big]) => [big ?? 0n, null]);
        await sql.transaction((tx) =>
          tx.finish(insertRows('Sample', ['big', 'word'], emptied(18), tail)),
        );
        const words = (await since(before)).map(({ word }) => word);
        expect(words).toEqual([...emptied(18).map(() => null), rows[18]?.[7], rows[19]?.[7]]);
      });
    });

    describe('transactions', () => {
      test('commit as a whole, and give what their work gives', async () => {
        const list = newList();
        const result = await sql.transaction(async (tx) => {
          const results = await tx.pipeline([
            { text: `${insertEntry} (?, 1, 1)`, params: [list] },
            { text: `${insertEntry} (?, 2, 1), (?, 3, 1)`, params: [list, list] },
          ]);
          const rows = await tx.query('SELECT value FROM Entry WHERE list = ?', [list]);
          expect(await numbers(list)).toEqual([]);
          return [...results.map((one) => one.affectedRows), rows.length];
        });
        expect(result).toEqual([1, 2, 3]);
        expect(await numbers(list)).toEqual([1, 2, 3]);
      });

      test('leave nothing when their work throws', async () => {
        const list = newList();
        const work = sql.transaction(async (tx) => {
          await tx.execute(`${insertEntry} (?, 1, 1)`, [list]);
          throw new Error('no');
        });
        await expect(work).rejects.toThrow('no');
        expect(await numbers(list)).toEqual([]);
      });

      test('leave nothing when one statement of a pipeline fails, whichever it is', async () => {
        for (const bad of [0, 1, 2]) {
          const list = newList();
          const statements = [1, 2, 3].map((seq, index) => ({
            text: index === bad ? `${insertEntry} (?, ?, NULL)` : `${insertEntry} (?, ?, 1)`,
            params: [list, seq],
          }));
          await expect(sql.transaction((tx) => tx.pipeline(statements))).rejects.toEqual(
            failure('other'),
          );
          expect(await numbers(list)).toEqual([]);
        }
      });

      test('finish with their last statements, whether or not any came before', async () => {
        for (const isFirst of [true, false]) {
          const list = newList();
          const results = await sql.transaction(async (tx) => {
            if (!isFirst) await tx.execute(`${insertEntry} (?, 1, 1)`, [list]);
            const finished = await tx.finish([
              { text: `${insertEntry} (?, 2, 1), (?, 3, 1)`, params: [list, list] },
              { text: 'UPDATE Entry SET value = 5 WHERE list = ?', params: [list] },
            ]);
            expect(await numbers(list)).toEqual(isFirst ? [2, 3] : [1, 2, 3]);
            await expect(tx.query('SELECT 1 AS one')).rejects.toEqual(failure('other'));
            return finished;
          });
          expect(results.map((one) => one.affectedRows)).toEqual([2, isFirst ? 2 : 3]);
        }
      });

      test('leave nothing when one of their last statements fails, or one before', async () => {
        for (const bad of [-1, 0, 1, 2]) {
          const list = newList();
          const row = (seq: number, index: number) => ({
            text: index === bad ? `${insertEntry} (?, ?, NULL)` : `${insertEntry} (?, ?, 1)`,
            params: [list, seq],
          });
          const before = row(9, -1);
          const work = sql.transaction((tx) => {
            // Not awaited: it may fail only after the last ones were asked for.
            tx.execute(before.text, before.params).catch(() => undefined);
            return tx.finish([1, 2, 3].map(row));
          });
          await expect(work).rejects.toEqual(failure('other'));
          expect(await numbers(list)).toEqual([]);
        }
      });

      test('are doomed by a failure, even where their work catches it', async () => {
        const list = newList();
        const work = sql.transaction(async (tx) => {
          await tx.execute(`${insertEntry} (?, 1, 1)`, [list]);
          await tx.execute(`${insertEntry} (?, 1, 1)`, [list]).catch(() => undefined);
          await tx.execute(`${insertEntry} (?, 2, 1)`, [list]).catch(() => undefined);
          return 'as if nothing had happened';
        });
        await expect(work).rejects.toEqual(failure('unique'));
        expect(await numbers(list)).toEqual([]);
      });

      test('wait with the commit for statements that nobody awaited', async () => {
        const [good, bad] = [newList(), newList()];
        await sql.transaction((tx) => {
          void tx.execute(`${insertEntry} (?, 1, 1)`, [good]);
          return Promise.resolve();
        });
        expect(await numbers(good)).toEqual([1]);
        const work = sql.transaction((tx) => {
          void tx.execute(`${insertEntry} (?, 1, 1)`, [bad]);
          tx.execute(`${insertEntry} (?, 2, NULL)`, [bad]).catch(() => undefined);
          return Promise.resolve();
        });
        await expect(work).rejects.toEqual(failure('other'));
        expect(await numbers(bad)).toEqual([]);
      });

      test('fail once, whichever of their statements are awaited', async () => {
        const unhandled: unknown[] = [];
        const note = (reason: unknown): void => void unhandled.push(reason);
        process.on('unhandledRejection', note);
        const list = newList();
        const work = sql.transaction(async (tx) => {
          const first = tx.execute(`${insertEntry} (?, 1, NULL)`, [list]);
          const others = [
            tx.execute(`${insertEntry} (?, 2, NULL)`, [list]),
            tx.query('SELECT 1 FROM NoTable'),
            tx.pipeline([{ text: 'SELEC' }]),
          ];
          await first;
          await Promise.all(others);
        });
        await expect(work).rejects.toEqual(failure('other'));
        await new Promise((resolve) => setTimeout(resolve, 20));
        process.off('unhandledRejection', note);
        expect(unhandled).toEqual([]);
      });

      test('refuse statements once they have ended', async () => {
        const list = newList();
        const tx = await sql.transaction((inside) => Promise.resolve(inside));
        await expect(tx.execute(`${insertEntry} (?, 1, 1)`, [list])).rejects.toEqual(
          failure('other'),
        );
        expect(await numbers(list)).toEqual([]);
      });

      test('answer statements in the order of sending', async () => {
        const list = newList();
        await sql.transaction(async (tx) => {
          const seen = await Promise.all(
            Array.from({ length: 20 }, async (_, index) => {
              if (index % 2 === 0) {
                await tx.execute(`${insertEntry} (?, ?, 1)`, [list, index]);
                return null;
              }
              const rows = await tx.query('SELECT number FROM Entry WHERE list = ?', [list]);
              return rows.length;
            }),
          );
          expect(seen.filter((count) => count !== null)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        });
      });

      test('side by side do not mix, and none is lost', async () => {
        const list = newList();
        await sql.execute('INSERT INTO Entry VALUES (?, 0, 0)', [list]);
        const one = async (index: number): Promise<void> => {
          await sql.transaction(async (tx) => {
            const [row] = await tx.query<{ value: number }>(
              `SELECT value FROM Entry WHERE list = ? AND number = 0${sql.dialect.forUpdate}`,
              [list],
            );
            const next = present(row, 'the row').value + 1;
            await tx.pipeline([
              {
                text: 'UPDATE Entry SET value = ? WHERE list = ? AND number = 0',
                params: [next, list],
              },
              { text: `${insertEntry} (?, ?, ?)`, params: [list, next, index] },
            ]);
            if (index % 3 === 0) throw new Error('rolled back');
          });
        };
        const ended = await Promise.allSettled(
          Array.from({ length: 30 }, (_, index) => one(index)),
        );
        expect(ended.filter((end) => end.status === 'fulfilled')).toHaveLength(20);
        expect(await numbers(list)).toEqual(Array.from({ length: 21 }, (_, n) => n));
      });
    });

    test('the generated client works on the same rows, and in turn with the port', async () => {
      const { prisma } = present(opened.shards.all[0], 'a shard');
      const conversationId = newList();
      const numbers = async (): Promise<number[]> =>
        (
          await sql.query<{ changeSeq: number }>(
            'SELECT changeSeq FROM MessageChange WHERE conversationId = ? ORDER BY changeSeq',
            [conversationId],
          )
        ).map((row) => row.changeSeq);
      await Promise.all([
        prisma.$transaction(async (tx) => {
          await tx.messageChange.create({ data: { conversationId, changeSeq: 1, seq: 5 } });
          await tx.messageChange.update({
            where: { conversationId_changeSeq: { conversationId, changeSeq: 1 } },
            data: { seq: 6 },
          });
        }),
        sql.execute(`INSERT INTO MessageChange (conversationId, changeSeq, seq) VALUES (?, 2, 7)`, [
          conversationId,
        ]),
        prisma.messageChange.createMany({ data: [{ conversationId, changeSeq: 3, seq: 8 }] }),
      ]);
      expect(await numbers()).toEqual([1, 2, 3]);
      expect(await prisma.messageChange.findMany({ where: { conversationId } })).toEqual([
        { conversationId, changeSeq: 1, seq: 6 },
        { conversationId, changeSeq: 2, seq: 7 },
        { conversationId, changeSeq: 3, seq: 8 },
      ]);
      await expect(
        prisma.messageChange.create({ data: { conversationId, changeSeq: 1, seq: 1 } }),
      ).rejects.toMatchObject({ code: 'P2002' });
      await expect(
        prisma.$transaction(async (tx) => {
          await tx.messageChange.deleteMany({ where: { conversationId } });
          throw new Error('rolled back');
        }),
      ).rejects.toThrow('rolled back');
      expect(await numbers()).toEqual([1, 2, 3]);
    });
  });
}
