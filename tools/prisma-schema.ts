/**
 * Derives the SQLite schema from the MySQL one: another provider, another output, no native types.
 */
export function sqliteSchemaOf(source: string): string {
  const lines = source.split('\n').map((line) =>
    line
      .replace(/^(\s*provider\s*=\s*)"mysql"/, '$1"sqlite"')
      .replace('generated/mysql"', 'generated/sqlite"')
      .replace(/\s+@db\.\w+(\([\d, ]*\))?/g, ''),
  );
  return `// Derived from schema.prisma by tools/prisma-generate.ts: do not edit.\n${lines.join('\n')}`;
}
