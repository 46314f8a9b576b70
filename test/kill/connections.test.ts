import { createConnection } from 'mariadb';
import { expect, it } from 'vitest';
import { bundleServer } from '../support/bundle.ts';
import { createMariadbDatabase, mariadbAvailable } from '../support/machine.ts';
import { pause } from './random.ts';
import { World } from './world.ts';

const rounds = 60 * Number(process.env['KILL_ROUNDS'] ?? 2);

/** Cuts every connection that is in a transaction: before its commit, within it, or before it is answered. */
async function cutTransactions(url: string): Promise<number> {
  const connection = await createConnection(url.replace(/^mysql:/, 'mariadb:'));
  try {
    const rows = await connection.query<{ id: bigint }[]>(
      'SELECT t.trx_mysql_thread_id AS id FROM information_schema.INNODB_TRX t' +
        ' JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id WHERE p.DB = DATABASE()',
    );
    let cut = 0;
    for (const { id } of rows) {
      // It may have ended by itself meanwhile.
      await connection.query(`KILL CONNECTION ${id}`).then(
        () => (cut += 1),
        () => undefined,
      );
    }
    return cut;
  } finally {
    await connection.end();
  }
}

it('tells everything that was committed, whichever connection is cut when', async ({ skip }) => {
  if (!mariadbAvailable()) skip();
  await using bundle = await bundleServer();
  const databaseUrls = [await createMariadbDatabase(), await createMariadbDatabase()];
  await using world = await World.start({ main: bundle.main, seed: 7, databaseUrls });
  world.run();
  let cut = 0;
  for (let round = 0; round < rounds; round += 1) {
    await pause(world.random.between(10, 120));
    for (const url of databaseUrls) cut += await cutTransactions(url);
  }
  expect(cut).toBeGreaterThan(rounds / 10);
  // What is in doubt is looked for a while longer.
  expect(await world.settle(40_000)).toEqual([]);
  expect(await world.check()).toEqual([]);
  expect(world.errors).toEqual([]);
}, 180_000);
