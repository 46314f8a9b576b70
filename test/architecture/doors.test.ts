import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const domain = fileURLToPath(new URL('../../src/domain', import.meta.url));
const nouns = readdirSync(domain, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

/** What a file exports without a word on it: declarations, and the methods of exported classes. */
function undocumented(text: string): string[] {
  const file = ts.createSourceFile('door.ts', text, ts.ScriptTarget.Latest, true);
  return file.statements.flatMap((statement) => {
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

  it.each(nouns)('%s is entered through a door of its name, documented throughout', (noun) => {
    const door = join(domain, noun, `${noun}.ts`);
    expect(existsSync(door)).toBe(true);
    expect(undocumented(readFileSync(door, 'utf8'))).toEqual([]);
  });
});
