import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { present } from '../../src/lib/assert.ts';
import { Shards, type ShardsConfig } from '../../src/storage/shards.ts';
import { createMariadbDatabase, mariadbAvailable } from '../support/machine.ts';
import { defaultDeps, temporaryFolder } from '../support/sql-engines.ts';

/** A process that holds the shards and writes, until it is killed in the middle of it. */
async function killedInTheAct(config: ShardsConfig, during: () => Promise<void>): Promise<number> {
  const file = new URL('../support/hold-shards.ts', import.meta.url).pathname;
  const holder = spawn(process.execPath, ['--import', 'tsx', file, JSON.stringify(config)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  holder.stdout.setEncoding('utf8').on('data', (part: string) => (said += part));
  const ended = once(holder, 'exit');
  try {
    await expect
      .poll(() => said.split('\n').length, { timeout: 60_000, interval: 20 })
      .toBeGreaterThan(20);
    await during();
  } finally {
    holder.kill('SIGKILL');
    await ended;
  }
  return Number(present(said.split('\n').at(-2), 'a number'));
}

const kinds: {
  name: string;
  isHere: () => boolean;
  config: (folder: string) => Promise<ShardsConfig>;
}[] = [
  {
    name: 'sqlite',
    isHere: () => true,
    config: (dataDir) => Promise.resolve({ kind: 'sqlite', dataDir }),
  },
  {
    name: 'mysql',
    isHere: mariadbAvailable,
    config: async () => ({
      kind: 'mysql',
      urls: [await createMariadbDatabase()],
      joinedBy: null,
    }),
  },
];

for (const kind of kinds) {
  test.skipIf(!kind.isHere())(
    `on ${kind.name} another process keeps us out while it lives, and leaves all it acknowledged when it is killed`,
    { timeout: 120_000 },
    async () => {
      await using folder = await temporaryFolder();
      const config = await kind.config(folder.path);
      const acknowledged = await killedInTheAct(config, async () => {
        const refused = new Shards(config, defaultDeps);
        await expect(refused.start()).rejects.toMatchObject({ name: 'StartupRefusal' });
        await refused.stop(0);
      });
      const shards = new Shards(config, defaultDeps);
      // Nothing to wait for: no lease has to run out.
      await shards.start();
      const rows = await shards
        .ofSlot(0)
        .sql.query<{ n: bigint; top: bigint }>(
          'SELECT COUNT(*) AS n, MAX(changeSeq) AS top FROM MessageChange GROUP BY conversationId',
        );
      await shards.stop(1_000);
      expect(rows).toHaveLength(2);
      expect(rows[0]).toEqual(rows[1]);
      const { n, top } = present(rows[0], 'a row');
      expect(n).toBe(top);
      expect(Number(top)).toBeGreaterThanOrEqual(acknowledged);
      // The one under way when it was killed may have been committed and not yet said.
      expect(Number(top)).toBeLessThanOrEqual(acknowledged + 1);
    },
  );
}

const noise = 'no database, whatever its name says'.repeat(200);

test.each([
  ['a file', '', 'The data folder % cannot be used: EEXIST'],
  ['one whose database is none', 'fastim.db', 'The database %/fastim.db cannot be opened: '],
  ['one whose lock is none', 'lock.db', 'The file %/lock.db cannot be locked: '],
])('a data folder that is %s is refused, and why is said', async (_what, file, why) => {
  await using folder = await temporaryFolder();
  const dataDir = path.join(folder.path, 'data');
  if (file !== '') await mkdir(dataDir);
  await writeFile(path.join(dataDir, file), noise);
  const onLost = vi.fn();
  const shards = new Shards({ kind: 'sqlite', dataDir }, { ...defaultDeps, onLost });
  const refusal: unknown = await shards.start().catch((error: unknown) => error);
  expect(refusal).toMatchObject({ name: 'StartupRefusal' });
  const { message } = refusal as Error;
  expect(message).toContain(why.replace('%', dataDir));
  expect(message).not.toMatch(/undefined|Another FastIM/);
  // Nothing is lost that was never there: the process ends with the refusal, and with nothing else.
  expect(onLost).not.toHaveBeenCalled();
});

// Nobody can make a file there, not even root.
test.skipIf(process.platform !== 'linux')('a data folder that takes no file', async () => {
  const shards = new Shards({ kind: 'sqlite', dataDir: '/proc/self' }, defaultDeps);
  const message = expect.stringContaining('/proc/self') as string;
  await expect(shards.start()).rejects.toMatchObject({ name: 'StartupRefusal', message });
});
