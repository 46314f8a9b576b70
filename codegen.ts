/**
 * Writes what follows from the schema in code: `schema/schema.graphql`, the contract as clients read it, and the
 * typed documents of `schema/operations/` for the client. With `--check` it writes nothing and exits 1
 * where a file is stale.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import {
  buildSchema as buildSdlSchema,
  GraphQLSchema,
  isAbstractType,
  Kind,
  parse,
  print,
  printSchema,
  separateOperations,
  type DocumentNode,
  type FragmentDefinitionNode,
  type OperationDefinitionNode,
} from 'graphql';
import { buildSchema } from './src/resolvers/schema.ts';

const sdlFile = 'schema/schema.graphql';
const operationsFolder = 'schema/operations';
const documentsFile = 'client/generated/documents.ts';
const possibleTypesFile = 'client/generated/possible-types.ts';

/** Types in the order in which one meets them, from the roots on; the kinds of an interface last. */
export function printContract(): string {
  const config = buildSchema().toConfig();
  const roots = [config.query, config.mutation, config.subscription].filter((root) => root != null);
  const met = new GraphQLSchema({ ...config, types: roots }).getTypeMap();
  const kinds = config.types.filter((type) => !(type.name in met));
  return `${printSchema(new GraphQLSchema({ ...config, types: [...roots, ...kinds] }))}\n`;
}

/** What each generated file should say, by its path from the root. */
export async function generated(root: string): Promise<ReadonlyMap<string, string>> {
  // Dear to load, and printing the contract does without.
  const [{ codegen }, typescriptOperations, { format, resolveConfig }] = await Promise.all([
    import('@graphql-codegen/core'),
    import('@graphql-codegen/typescript-operations'),
    import('prettier'),
  ]);
  const sdl = printContract();
  const document = await operations(root);
  const types = await codegen({
    filename: documentsFile,
    schema: parse(sdl),
    documents: [{ location: operationsFolder, document }],
    pluginMap: { operations: typescriptOperations },
    plugins: [
      {
        operations: {
          enumType: 'string-literal',
          immutableTypes: true,
          scalars: {
            ID: 'string',
            DateTime: 'string',
            InboxCursor: 'string',
            JSON: 'unknown',
            MinorUnits: 'number',
          },
        },
      },
    ],
    config: {},
  });
  const style = await resolveConfig(path.join(root, documentsFile));
  const pretty = (text: string) => format(text, { ...style, filepath: documentsFile });
  const documents = await pretty([head, types, printDocuments(document)].join('\n'));
  return new Map([
    [sdlFile, sdl],
    [documentsFile, documents],
    [possibleTypesFile, await pretty(printPossibleTypes(sdl))],
  ]);
}

const head = `// Written by codegen.ts from schema/operations/: do not edit.
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { parse } from 'graphql';
`;

async function operations(root: string): Promise<DocumentNode> {
  const folder = path.join(root, operationsFolder);
  const names = (await readdir(folder)).filter((name) => name.endsWith('.graphql')).sort();
  const texts = await Promise.all(names.map((name) => readFile(path.join(folder, name), 'utf8')));
  return parse(texts.join('\n'), { noLocation: true });
}

/**
 * Each operation as a document of its own, with the fragments that it spreads. As text that is parsed when the
 * file is loaded: trees written out would be ten times as long.
 */
function printDocuments(all: DocumentNode): string {
  const lines = ['const fragments = {'];
  for (const node of all.definitions) {
    if (node.kind === Kind.FRAGMENT_DEFINITION) {
      lines.push(`${node.name.value}: \`${print(node)}\`,`);
    }
  }
  lines.push(
    '} as const;',
    'type FragmentName = keyof typeof fragments;',
    'function document<R, V>(operation: string, ...spread: FragmentName[]): TypedDocumentNode<R, V> {',
    '  const texts = [operation, ...spread.map((name) => fragments[name])];',
    "  return parse(texts.join('\\n'), { noLocation: true });",
    '}',
  );
  for (const [name, alone] of Object.entries(separateOperations(all))) {
    const [operation, spread] = parted(alone);
    const kind = operation.operation.replace(/^./, (letter) => letter.toUpperCase());
    const types = `${name}${kind}, ${name}${kind}Variables`;
    const names = spread.map((fragment) => `, '${fragment.name.value}'`).join('');
    lines.push(
      `export const ${name}Document = document<${types}>(\`${print(operation)}\`${names});`,
    );
  }
  return lines.join('\n');
}

/** What a normalising cache (Apollo Client) must know of interfaces and unions. */
function printPossibleTypes(sdl: string): string {
  const schema = buildSdlSchema(sdl);
  const possible = Object.values(schema.getTypeMap())
    .filter(isAbstractType)
    .filter(({ name }) => !name.startsWith('__'))
    .map((type) => [type.name, schema.getPossibleTypes(type).map(({ name }) => name)] as const);
  return [
    '// Written by codegen.ts from the schema: do not edit.',
    '/** For caches that normalise by type, as that of Apollo Client. */',
    `export const possibleTypes = ${JSON.stringify(Object.fromEntries(possible))};`,
  ].join('\n');
}

function parted(alone: DocumentNode): [OperationDefinitionNode, FragmentDefinitionNode[]] {
  const operation = alone.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
  const spread = alone.definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
  if (!operation) throw new Error('a document without an operation');
  return [operation, spread];
}

/** Those of the files that do not say what they should. */
export async function staleFiles(root: string, files: ReadonlyMap<string, string>) {
  const stale: string[] = [];
  for (const [file, text] of files) {
    const present = await readFile(path.join(root, file), 'utf8').catch(() => undefined);
    if (present !== text) stale.push(file);
  }
  return stale;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  const root = import.meta.dirname;
  const files = await generated(root);
  const stale = await staleFiles(root, files);
  if (values.check) {
    for (const file of stale) console.error(`${file} is stale: npm run codegen`);
    process.exitCode = stale.length > 0 ? 1 : 0;
    return;
  }
  for (const file of stale) {
    await mkdir(path.dirname(path.join(root, file)), { recursive: true });
    await writeFile(path.join(root, file), files.get(file) ?? '');
    console.log(`wrote ${file}`);
  }
}

if (process.argv[1] === import.meta.filename) await main();
