import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { VoidRun } from '../runner/void.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** What runs in production. */
export const builtMain = `${root}dist/main.js`;

/** Brings `dist/` up to date, so that what is measured is what the sources say. */
export async function ensureBuilt(): Promise<void> {
  const tsc = `${root}node_modules/typescript/bin/tsc`;
  const built = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (built.status !== 0) throw new VoidRun(`FastIM does not build:\n${built.stdout}`);
}
