/**
 * Derives the SQLite schema from the MySQL one, line by line: another provider, another output, no native types.
 * @param {string} source the text of prisma/schema.prisma.
 * @returns {string} the text of prisma/sqlite.prisma.
 */
export function sqliteSchemaOf(source) {
  const lines = source.split('\n').map((line) =>
    line
      .replace(/^(\s*provider\s*=\s*)"mysql"/, '$1"sqlite"')
      .replace('generated/mysql"', 'generated/sqlite"')
      .replace(/\s+@db\.\w+(\([\d, ]*\))?/g, ''),
  );
  return `// Derived from schema.prisma by tools/prisma-generate.mjs: do not edit.\n${lines.join('\n')}`;
}
