import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CloseCode } from 'graphql-ws';
import { describe, expect, test } from 'vitest';
import { variables } from '../../src/config.ts';
import { faultCodes } from '../../src/lib/fault.ts';
import { limits } from '../../src/limits.ts';
import { closings } from '../../src/gate/close-codes.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const documents = execFileSync('git', ['ls-files', '*.md'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '');

/** The names of all files, without their folders. */
const files = new Set(
  execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .map((file) => path.basename(file)),
);

/** The rows of the first table under a heading, by cell, marks of code left out. */
function table(file: string, heading: string): string[][] {
  const section =
    read(file)
      .split(/^## /m)
      .find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
}

/** The headings of a document as links name them. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** A limit as the tables write it, by the unit that its name ends with. */
function written(name: string, value: number): string {
  const counted = value.toLocaleString('en-US');
  if (name.endsWith('_SECONDS')) return `${counted} s`;
  if (name.endsWith('Ms')) {
    return value % 86_400_000 === 0 ? `${value / 86_400_000} days` : `${value / 1000} s`;
  }
  if (!/Bytes/.test(name)) return counted;
  if (value % 1_048_576 === 0) return `${value / 1_048_576} MiB`;
  return value > 16_384 ? `${value / 1024} KiB` : `${counted} bytes`;
}

describe('documents', () => {
  test.each(documents)('%s: its links lead somewhere', (file) => {
    const links = [...read(file).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)];
    for (const [link, target = '', anchor] of links) {
      const place = path.join(root, path.dirname(file), target);
      const there = target === '' ? path.join(root, file) : place;
      expect(existsSync(there), link).toBe(true);
      if (anchor) expect(anchors(readFileSync(there, 'utf8')), link).toContain(anchor);
    }
  });

  test.each(documents)('%s: the tests and files that it names exist', (file) => {
    const text = read(file).replaceAll(/^```.*?^```$/gms, '');
    for (const [, where = '', title = ''] of text.matchAll(/`(\w+\/[\w-]+) › ([^`]+)`/g)) {
      const test = `test/${where}.test.ts`;
      expect(existsSync(path.join(root, test)), test).toBe(true);
      const isThere = ["'", '"', '`'].some((quote) => read(test).includes(quote + title));
      expect(isThere, `${test} › ${title}`).toBe(true);
    }
    for (const [, name = ''] of text.matchAll(/`([\w.-]+\.ts)`/g)) {
      expect(files.has(name), `${name} in ${file}`).toBe(true);
    }
    const paths = text.matchAll(/`((?:src|test|schema|docs|prisma|tools|client)\/[\w./-]+)`/g);
    for (const [, name = ''] of paths) expect(existsSync(path.join(root, name)), name).toBe(true);
  });

  test('README.md: each promise stands among those with tests', () => {
    const promises = [...read('README.md').matchAll(/^- \*\*(.+?)\*\*/gm)].map(([, name]) => name);
    expect(promises.length).toBeGreaterThan(4);
    const held = table('schema/README.md', 'Promises').map(
      ([promise = '']) => /^\*\*(.+?)\*\*/.exec(promise)?.[1],
    );
    expect(held).toEqual(expect.arrayContaining(promises));
    for (const [promise, tests] of table('schema/README.md', 'Promises')) {
      expect(tests, promise).toContain(' › ');
    }
  });

  test('schema/README.md: its tables are those of the code', () => {
    const faults = table('schema/README.md', 'Faults').map(([code, isRetryable]) => [
      code,
      { retryable: isRetryable === 'yes' },
    ]);
    expect(Object.fromEntries(faults)).toEqual(faultCodes);

    const closes = table('schema/README.md', 'Close codes').map(([code]) => Number(code));
    const known = Object.values(CloseCode).filter((code) => typeof code === 'number');
    const ours = Object.values(closings).map(({ code }) => code);
    expect(closes).toEqual(expect.arrayContaining(ours));
    expect([...known, ...ours]).toEqual(expect.arrayContaining(closes));

    const defaults = variables.parse({});
    const values: Readonly<Record<string, unknown>> = { ...limits, ...defaults };
    const rows = table('schema/README.md', 'Limits');
    expect(rows.length).toBeGreaterThan(30);
    for (const [what, limit, name = ''] of rows) {
      expect([what, limit]).toEqual([what, written(name, Number(values[name]))]);
    }
  });

  test('ARCHITECTURE.md: each invariant names a test', () => {
    const rows = table('ARCHITECTURE.md', 'Invariants');
    expect(rows.length).toBeGreaterThan(5);
    for (const [invariant, , tests] of rows) expect(tests, invariant).toContain(' › ');
  });

  test('docs/planted-bugs.md: each bug is planted by the test that it names', () => {
    const rows = table('docs/planted-bugs.md', 'All of them');
    expect(rows.length).toBeGreaterThan(15);
    for (const [bugs = '', , , test = ''] of rows) {
      const source = read(`test/${test.split(' › ')[0]}.test.ts`);
      for (const bug of bugs.split(', ')) expect(source, bug).toContain(bug);
    }
  });
});
