import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { VoidRun } from '../runner/void.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));

const builtMain = `${root}dist/main.js`;

/** What `npm start` gives node: flags, then the script. */
export function startArgs(): readonly string[] {
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
    scripts: { start: string };
  };
  const [node, ...args] = scripts.start.split(' ');
  if (node !== 'node' || args.at(-1) !== 'dist/main.js') throw new VoidRun('npm start is another');
  return [...args.slice(0, -1), builtMain];
}

/** Brings `dist/` up to date, so that what is measured is what the sources say. */
export async function ensureBuilt(): Promise<void> {
  const tsc = `${root}node_modules/typescript/bin/tsc`;
  const built = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (built.status !== 0) throw new VoidRun(`FastIM does not build:\n${built.stdout}`);
}
