import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Bundle } from './bundle.ts';

/** One of the operator's commands, as `npm run` does it, in a process of its own. */
export async function operate(
  bundle: Bundle,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(process.execPath, [bundle.operate, ...args], {
    // Where there is no .env of the developer's.
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { PATH: process.env['PATH'] ?? '', ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output };
}
