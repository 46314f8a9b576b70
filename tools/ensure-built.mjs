// Runs before `npm start`: builds the server where `npm ci` has not, or its output was deleted.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
if (!existsSync(new URL('../dist/main.js', import.meta.url))) {
  const { status } = spawnSync('npm', ['run', 'prepare'], { cwd: root, stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
