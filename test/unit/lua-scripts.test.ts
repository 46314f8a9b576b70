import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, test } from 'vitest';
import { epochKey, epochScript, givenTo, plainScript } from '../../src/storage/lua.ts';
import type { ArgsOf, LuaScript } from '../../src/storage/lua.ts';

const src = fileURLToPath(new URL('../../src/', import.meta.url));
const made = /= (?:plain|epoch)Script\(/g;
const places = (readdirSync(src, { recursive: true }) as string[])
  .filter((file) => file.endsWith('.ts') && !file.startsWith(path.join('storage', 'generated')))
  .map((file) => ({ file, count: [...readFileSync(src + file, 'utf8').matchAll(made)].length }))
  .filter(({ count }) => count > 0);

/** Those that modules export, by their files. */
const found = await Promise.all(
  places.map(async ({ file }) => {
    const values = Object.values((await import(src + file)) as Readonly<Record<string, unknown>>);
    return { file, scripts: values.filter(isScript) };
  }),
);
const scripts = found.flatMap((place) => place.scripts);

function isScript(value: unknown): value is LuaScript {
  return typeof value === 'object' && value !== null && 'sha' in value && 'argv' in value;
}

it('every script is found here', () => {
  const counts = found.map(({ file, scripts: { length: count } }) => ({ file, count }));
  expect(counts).toEqual(places);
  expect(scripts.length).toBeGreaterThan(10);
});

it.each(scripts)('the header of $name names what its text uses', (script) => {
  expect(wrongIn(script)).toEqual([]);
});

/** Where header and text of a script do not fit. */
function wrongIn({ does, returns, keys, argv, each = [], text }: LuaScript): string[] {
  const wrong: string[] = [];
  for (const sentence of [does, returns])
    if (!/^['\d\p{Lu}].*\.$/u.test(sentence)) wrong.push(sentence);
  for (const [table, names] of [
    ['KEYS', keys],
    ['ARGV', argv],
  ] as const) {
    const used = numbersIn(text, new RegExp(`\\b${table}\\[(\\d+)\\]`, 'g'));
    const named = names.map((_, index) => index + 1);
    if (used.join() !== named.join()) wrong.push(`${table} ${used.join()} for ${names.join()}`);
  }
  // What follows begins behind what has names, and comes in groups of as many as there are names for.
  const loops = [...text.matchAll(/for \w+ = (\d+), #ARGV(?:, (\d+))?/g)];
  for (const [loop, from, step = 1] of loops) {
    if (Number(from) !== argv.length + 1 || Number(step) !== each.length) wrong.push(loop);
  }
  for (const [use, from] of text.matchAll(/ARGV\[(\d+) \+ \w+\]/g)) {
    if (Number(from) !== argv.length) wrong.push(use);
  }
  for (const [use, on] of text.matchAll(/ARGV\[[a-z]+ \+ (\d+)\]/g)) {
    if (Number(on) >= each.length) wrong.push(use);
  }
  const isOpen = loops.length > 0 || text.includes('ARGV[3 + at]');
  if (each.length > 0 && !isOpen) wrong.push(`nothing follows: ${each.join()}`);
  return wrong;
}

function numbersIn(text: string, pattern: RegExp): number[] {
  const numbers = [...text.matchAll(pattern)].map(([, number]) => Number(number));
  return [...new Set(numbers)].sort((a, b) => a - b);
}

test('a header that does not fit is seen', () => {
  const header = {
    does: 'Counts.',
    keys: ['a'],
    argv: ['b'],
    each: ['c', 'd'],
    returns: 'Nothing.',
  };
  const right = 'KEYS[1] ARGV[1] for i = 2, #ARGV, 2 do ARGV[i] ARGV[i + 1] end';
  const planted: readonly (readonly [string, Partial<typeof header>?])[] = [
    [`${right} KEYS[2]`],
    [`${right} ARGV[2]`],
    [right.replace('KEYS[1]', '')],
    [right.replace('= 2', '= 3')],
    [right.replace(', 2 do', ' do')],
    [right.replace('i + 1', 'i + 2')],
    [`${right} ARGV[3 + at]`],
    ['KEYS[1] ARGV[1]'],
    [right, { does: '' }],
    [right, { returns: '' }],
    [right, { argv: ['b', 'more'] }],
  ];
  expect(wrongIn(plainScript('right', header, right))).toEqual([]);
  for (const [text, change] of planted) {
    expect(wrongIn(plainScript('wrong', { ...header, ...change }, text))).not.toEqual([]);
  }
});

test('who gives a script less or more than it names is stopped', () => {
  const header = {
    does: 'Counts.',
    argv: ['from'],
    each: ['a', 'b'],
    returns: 'Nothing.',
  } as const;
  const script = epochScript('given', header, '');
  expect(givenTo(script, [epochKey], ['1', 2, 'a', 'b'])).toEqual([1, epochKey, '1', 2, 'a', 'b']);
  for (const args of [['1'], ['1', 2, 'a']]) {
    expect(() => givenTo(script, [epochKey], args)).toThrow('given is given');
  }
  expect(() => givenTo(script, [], ['1', 2])).toThrow();
  const closed = plainScript('closed', { ...header, keys: [], each: [] }, '');
  expect(() => givenTo(closed, [], [1, 2])).toThrow();
});

test('the compiler knows how much a script is given', () => {
  const one: ArgsOf<readonly ['a'], readonly []> = ['1'];
  const more: ArgsOf<readonly ['a'], readonly ['b']> = ['1', 2, 3];
  // @ts-expect-error nothing for a
  const none: ArgsOf<readonly ['a'], readonly ['b']> = [];
  // @ts-expect-error one too many
  const two: ArgsOf<readonly ['a'], readonly []> = ['1', 2];
  expect([one, more, none, two].map(({ length }) => length)).toEqual([1, 3, 0, 2]);
});
