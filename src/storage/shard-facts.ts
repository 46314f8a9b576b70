import { randomUUID } from 'node:crypto';
import type { MigrationTarget } from './migrator.ts';
import type { SqlReader } from './sql.ts';
import { StartupRefusal } from './startup-refusal.ts';

/** What a shard knows of itself. */
interface ShardFacts {
  /** A random name that all shards of a cluster share. */
  readonly cluster: string;
  readonly index: number;
  readonly shards: number;
  readonly map: string;
  /** False until every shard of a new cluster has its facts. */
  readonly isFormed: boolean;
}

const factName = Buffer.from('shard');
const restoredName = 'restored';

/** Stands behind a dump: whoever reads it in gives the shard a name that it never had. */
export const nameRestored = `REPLACE INTO ShardFact (name, value) VALUES ('${restoredName}', UUID());\n`;

/** As what the shards were restored, as one text: another one after each restoring. Empty: they never were. */
export async function restorationsOf(
  shards: readonly { readonly sql: SqlReader }[],
): Promise<string> {
  const found = await Promise.all(
    shards.map(({ sql }) =>
      sql.query<{ value: string }>('SELECT value FROM ShardFact WHERE name = ?', [
        Buffer.from(restoredName),
      ]),
    ),
  );
  const names = found.map(([row]) => row?.value ?? '');
  return names.every((name) => name === '') ? '' : names.join(' ');
}

/**
 * Lets the shards prove that they are one cluster, in this order, with this map; a cluster of blank
 * databases is formed. A start that broke off while forming is taken up again. The caller has
 * locked all of them against another start.
 * @throws {StartupRefusal} where anything is otherwise than it was.
 */
export async function proveShards(targets: readonly MigrationTarget[], map: string): Promise<void> {
  const found = await Promise.all(targets.map(readFacts));
  const shards = targets.length;
  const known = found.filter((facts) => facts !== null);
  const isFormed = known.some((facts) => facts.isFormed);
  const cluster = known[0]?.cluster ?? randomUUID();

  found.forEach((facts, index) => {
    const label = targets[index]?.label ?? '';
    if (facts) check(facts, { cluster, index, shards, map, isFormed }, label);
    else if (isFormed) {
      throw new StartupRefusal(
        `The database ${label} is blank, but the others hold a cluster: as shard ${index} it would hide what is on the true one.`,
      );
    }
  });
  if (isFormed && known.every((facts) => facts.isFormed)) return;

  const write = async (formed: boolean): Promise<void> => {
    for (const [index, target] of targets.entries()) {
      await writeFacts(target, { cluster, index, shards, map, isFormed: formed });
    }
  };
  if (!isFormed) await write(false);
  await write(true);
}

function check(facts: ShardFacts, wanted: ShardFacts, label: string): void {
  if (facts.cluster !== wanted.cluster) {
    throw new StartupRefusal(
      `The database ${label} belongs to another cluster than the first one.`,
    );
  }
  if (facts.index !== wanted.index) {
    throw new StartupRefusal(
      `The database ${label} is shard ${facts.index}, but stands in place ${wanted.index}: the order of DATABASE_URLS must stay as it was.`,
    );
  }
  if (facts.shards !== wanted.shards) {
    throw new StartupRefusal(
      `The database ${label} belongs to a cluster of ${facts.shards} shards, but ${wanted.shards} are configured.`,
    );
  }
  if (facts.map !== wanted.map && (facts.isFormed || wanted.isFormed)) {
    throw new StartupRefusal(
      `The database ${label} was filled by the slot map ${facts.map}, but ${wanted.map} is configured: data would not be found.`,
    );
  }
}

async function readFacts(target: MigrationTarget): Promise<ShardFacts | null> {
  const [row] = await target.query('SELECT value FROM ShardFact WHERE name = ?', [factName]);
  return row ? (JSON.parse(String(row['value'])) as ShardFacts) : null;
}

async function writeFacts(target: MigrationTarget, facts: ShardFacts): Promise<void> {
  const value = JSON.stringify(facts);
  const [row] = await target.query('SELECT value FROM ShardFact WHERE name = ?', [factName]);
  if (row) await target.execute('UPDATE ShardFact SET value = ? WHERE name = ?', [value, factName]);
  else await target.execute('INSERT INTO ShardFact (name, value) VALUES (?, ?)', [factName, value]);
}
