/** A table as prisma/schema.prisma says it. */
export interface ModelTable {
  readonly name: string;
  readonly columns: readonly ModelColumn[];
  readonly primaryKey: readonly string[];
  readonly indexes: readonly ModelIndex[];
}

export interface ModelColumn {
  readonly name: string;
  readonly type: 'BigInt' | 'Int' | 'Boolean' | 'Bytes' | 'String';
  /** As in `@db.VarBinary(64)`: `VarBinary(64)`. */
  readonly nativeType: string | null;
  readonly isNullable: boolean;
  readonly isDrawn: boolean;
  /** As in `@default(0)`: `0`. */
  readonly defaultValue: string | null;
}

export interface ModelIndex {
  readonly name: string;
  readonly isUnique: boolean;
  readonly columns: readonly string[];
}

/** Reads the tables of a Prisma schema, as far as this project goes: scalars, keys, indexes. */
export function parseModels(schema: string): ModelTable[] {
  return [...schema.matchAll(/^model (\w+) \{\n([\s\S]*?)^\}/gm)].map(
    ([, name = '', body = '']) => {
      const lines = body
        .split('\n')
        .map((line) => line.replace(/\/\/.*$/, '').trim())
        .filter((line) => line !== '');
      return parseModel(name, lines);
    },
  );
}

function parseModel(name: string, lines: readonly string[]): ModelTable {
  const fields = lines.filter((line) => !line.startsWith('@@')).map(parseField);
  const blocks = lines.filter((line) => line.startsWith('@@')).map(parseBlock);
  const id = blocks.find((block) => block.kind === 'id');
  const indexes = [
    ...fields
      .filter((field) => field.isUnique)
      .map(({ column }) => ({ kind: 'unique', columns: [column.name] })),
    ...blocks.filter((block) => block.kind !== 'id'),
  ].map(({ kind, columns }) => ({
    name: `${name}_${columns.join('_')}_${kind === 'unique' ? 'key' : 'idx'}`,
    isUnique: kind === 'unique',
    columns,
  }));
  return {
    name,
    columns: fields.map(({ column }) => column),
    primaryKey:
      id?.columns ?? fields.filter((field) => field.isId).map(({ column }) => column.name),
    indexes,
  };
}

function parseField(line: string): { column: ModelColumn; isId: boolean; isUnique: boolean } {
  const match = /^(\w+)\s+(BigInt|Int|Boolean|Bytes|String)(\??)\s*(.*)$/.exec(line);
  if (!match) throw new Error(`not understood in the schema: ${line}`);
  const [, name = '', type, mark, rest = ''] = match;
  const byDefault = /@default\(((?:[^()]|\([^()]*\))*)\)/.exec(rest)?.[1] ?? null;
  const isDrawn = byDefault === 'autoincrement()';
  return {
    column: {
      name,
      type: type as ModelColumn['type'],
      nativeType: /@db\.(\w+(?:\(\d+\))?)/.exec(rest)?.[1] ?? null,
      isNullable: mark === '?',
      isDrawn,
      defaultValue: isDrawn ? null : byDefault,
    },
    isId: /@id\b/.test(rest),
    isUnique: /@unique\b/.test(rest),
  };
}

function parseBlock(line: string): { kind: string; columns: string[] } {
  const match = /^@@(id|unique|index)\(\[([\w, ]+)\]\)$/.exec(line);
  if (!match) throw new Error(`not understood in the schema: ${line}`);
  return { kind: match[1] ?? '', columns: (match[2] ?? '').split(',').map((part) => part.trim()) };
}
