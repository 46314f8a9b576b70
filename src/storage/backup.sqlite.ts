import { chmod } from 'node:fs/promises';
import Database from 'libsql';
import { inboxTables } from './inbox-tables.ts';

/**
 * Copies a database as it is at one moment, whoever writes to it meanwhile.
 * @param copy a file that is not there yet.
 */
export async function copySqlite(file: string, copy: string): Promise<void> {
  const source = new Database(file);
  try {
    source.exec('PRAGMA busy_timeout = 2000');
    // One read, where a copy page by page would begin anew with each commit.
    source.prepare('VACUUM INTO ?').run(copy);
  } finally {
    source.close();
  }
  await chmod(copy, 0o600);
  const copied = new Database(copy);
  try {
    copied.exec(inboxTables.map((table) => `DELETE FROM ${table};`).join('\n'));
  } finally {
    copied.close();
  }
}
