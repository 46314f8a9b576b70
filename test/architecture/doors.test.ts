import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const domain = fileURLToPath(new URL('../../src/domain', import.meta.url));
const nouns = readdirSync(domain, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

/**
 * What a file exports without a word on it: declarations, and the methods of exported classes.
 * What it hands on from a file beside it counts as its own.
 */
function undocumented(text: string, beside: (file: string) => string = () => ''): string[] {
  const file = ts.createSourceFile('door.ts', text, ts.ScriptTarget.Latest, true);
  return file.statements.flatMap((statement) => {
    if (ts.isExportDeclaration(statement)) return handedOn(statement, beside);
    if (!ts.canHaveModifiers(statement) || !isExported(statement)) return [];
    const name = nameOf(statement);
    // What a class is given says itself, field by field.
    const silent = isDocumented(statement) || name.endsWith('Deps') ? [] : [name];
    if (!ts.isClassDeclaration(statement)) return silent;
    const methods = statement.members.filter(
      (member) => ts.isMethodDeclaration(member) && !ts.isPrivateIdentifier(member.name),
    );
    const silentMethods = methods.filter((member) => !isDocumented(member) && !isLifecycle(member));
    return [...silent, ...silentMethods.map((member) => `${name}.${member.name!.getText()}`)];
  });
}

function handedOn(statement: ts.ExportDeclaration, beside: (file: string) => string): string[] {
  const { exportClause, moduleSpecifier } = statement;
  if (!exportClause || !moduleSpecifier || !ts.isNamedExports(exportClause)) return [];
  const from = (moduleSpecifier as ts.StringLiteral).text;
  if (!from.startsWith('./')) return [];
  const names = exportClause.elements.map(({ name, propertyName }) => (propertyName ?? name).text);
  return undocumented(beside(from), beside).filter((silent) =>
    names.includes(silent.split('.')[0]!),
  );
}

function isExported(statement: ts.HasModifiers): boolean {
  const modifiers = ts.getModifiers(statement) ?? [];
  return modifiers.some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword);
}

function isDocumented(node: ts.Node): boolean {
  return ts.getJSDocCommentsAndTags(node).length > 0;
}

/** Said once, on the interface Lifecycle. */
function isLifecycle(member: ts.ClassElement): boolean {
  return ['start', 'stop', '[Symbol.asyncDispose]'].includes(member.name!.getText());
}

function nameOf(statement: ts.Node): string {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map((one) => one.name.getText()).join(', ');
  }
  return ts.getNameOfDeclaration(statement as ts.Declaration)?.getText() ?? 'default';
}

describe('the doors of the domain', () => {
  it('sees what is not documented', () => {
    const text = `
      /** Said. */
      export class Said {
        loud() {}
        #inner() {}
        start() {}
        /** Said. */
        told() {}
      }
      export function silent() {}
      export const one = 1;
      /** Said. */
      export type Told = string;
      export interface SaidDeps {}
      const inner = 2;`;
    expect(undocumented(text)).toEqual(['Said.loud', 'silent', 'one']);
  });

  it('sees what is handed on from a file beside', () => {
    const text = `export type { Silent, Told } from './shapes.ts'; export { x } from '../y.ts';`;
    const shapes = `
      export type Silent = 1;
      /** Said. */
      export type Told = 2;
      export type Kept = 3;`;
    expect(undocumented(text, (file) => (file === './shapes.ts' ? shapes : ''))).toEqual([
      'Silent',
    ]);
  });

  it.each(nouns)('%s is entered through a door of its name, documented throughout', (noun) => {
    const door = `${noun}.ts`;
    expect(existsSync(join(domain, noun, door))).toBe(true);
    const read = (file: string): string => readFileSync(join(domain, noun, file), 'utf8');
    expect(undocumented(read(door), read)).toEqual([]);
  });
});
