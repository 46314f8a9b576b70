import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';
import { expect, it, vi } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const eslint = new ESLint({ cwd: root });

/** The rules that a text breaks where it stands in place of an existing file. */
async function broken(file: string, text: string): Promise<string[]> {
  const [result] = await eslint.lintText(text, { filePath: `${root}/${file}` });
  return result!.messages.map(({ ruleId, message }) => ruleId ?? message);
}

// The first of them loads the types of the whole project.
vi.setConfig({ testTimeout: 240_000 });

const domainFile = 'src/domain/timeline/timeline.ts';
const testFile = 'test/architecture/lint.test.ts';
const restricted = 'no-restricted-syntax';
const long = `export function long(): void {\n${'  void 0;\n'.repeat(71)}}`;

it.each([
  [domainFile, 'export const now = (): number => Date.now();', restricted],
  [domainFile, 'export const now = (): Date => new Date();', restricted],
  [domainFile, 'export const dice = (): number => Math.random();', restricted],
  [domainFile, `export const home = process.env['HOME'];`, restricted],
  ['src/limits.ts', `export const home = process.env['HOME'];`, restricted],
  ['src/limits.ts', `import { env } from 'node:process';\nexport const e = { env };`, restricted],
  ['src/limits.ts', `export * from './lib/assert.ts';`, restricted],
  ['src/limits.ts', `export const n = 'x' as unknown as number;`, restricted],
  ['src/limits.ts', 'export class Users { private x = 1; y = () => this.x; }', restricted],
  ['src/limits.ts', 'export class UserManager { x = 1; }', restricted],
  ['src/limits.ts', `import { a } from './lib/assert.js';\nexport const b = { a };`, restricted],
  ['src/limits.ts', 'export enum Kind { A }', restricted],
  ['src/limits.ts', 'export const x: any = 1;', '@typescript-eslint/no-explicit-any'],
  [
    'src/limits.ts',
    'const f = async (): Promise<void> => {};\nexport const g = (): void => { f(); };',
    '@typescript-eslint/no-floating-promises',
  ],
  [
    'src/limits.ts',
    `export const f = (x: 'a' | 'b'): void => { switch (x) { case 'a': break; } };`,
    '@typescript-eslint/switch-exhaustiveness-check',
  ],
  ['src/limits.ts', long, 'max-lines-per-function'],
  ['src/limits.ts', `export const x = 1;\n${'// more\n'.repeat(300)}`, 'max-lines'],
  ['src/limits.ts', `console.log('x');\nexport {};`, 'no-console'],
  [testFile, `import { it } from 'vitest';\nit.only('x', () => {});`, restricted],
  [testFile, `import { it } from 'vitest';\nit.skip('x', () => {});`, restricted],
  [
    testFile,
    `import { describe } from 'vitest';\ndescribe.only.each([1])('x', () => {});`,
    restricted,
  ],
])('caught in %s (%#)', async (file, text, rule) => {
  expect(await broken(file, `${text}\n`)).toContain(rule);
});

it('lets the configuration read the environment, and a test its clock', async () => {
  expect(await broken('src/config.ts', `export const home = process.env['HOME'];\n`)).toEqual([]);
  expect(await broken(testFile, 'export const now = (): number => Date.now();\n')).toEqual([]);
});
