import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** The server, built from the present sources: starts in a third of the time. */
export interface Bundle extends AsyncDisposable {
  /** The file to run. */
  readonly main: string;
  /** The operator's commands. */
  readonly operate: string;
}

/** Into a temporary folder, in less than a second. */
export async function bundleServer(): Promise<Bundle> {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const folder = await mkdtemp(path.join(tmpdir(), 'fastim-bundle-'));
  await build({
    entryPoints: ['src/main.ts', 'src/operate.ts', 'src/storage/sqlite-worker.ts'].map(
      (file) => root + file,
    ),
    outdir: folder,
    entryNames: '[name]',
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    sourcemap: 'inline',
    logLevel: 'warning',
  });
  // A package like the one it was built from: it reads its migrations from there.
  await writeFile(path.join(folder, 'package.json'), '{"type":"module"}');
  for (const name of ['node_modules', 'prisma']) {
    await symlink(path.join(root, name), path.join(folder, name));
  }
  return {
    main: path.join(folder, 'main.js'),
    operate: path.join(folder, 'operate.js'),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
