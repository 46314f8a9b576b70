import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signUp } from '../support/clients.ts';
import { freePort, ServerProcess } from '../support/process.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fastim-process-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Runs the server to its end, which must come by itself. */
function run(env: Readonly<Record<string, string>>) {
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), main],
    { cwd: folder, env: { PATH: process.env['PATH'], ...env }, encoding: 'utf8', timeout: 25_000 },
  );
  return { status, stderr };
}

describe('the server as a process', () => {
  test('says where it is, keeps what it acknowledged over kill -9, and drains on SIGTERM', async () => {
    await using server = await ServerProcess.start({ DATA_DIR: path.join(folder, 'data') });
    expect(server.output).toContain(`FastIM serves GraphQL on ${server.url}/graphql`);
    const ann = await signUp(server, 'ann');
    await server.kill9();
    await server.start();
    const socket = await ann.socket();
    await ann.refresh();
    expect(ann.username).toBe('ann');
    const stopped = server.stop();
    expect((await socket.closed).code).toBe(4604);
    expect(await stopped).toBe(0);
    expect(server.output).toContain('server.stopped');
  });

  test('a second signal ends it at once', async () => {
    await using server = await ServerProcess.start({ DATA_DIR: path.join(folder, 'twice') });
    await (await signUp(server, 'ann')).socket();
    const pid = server.pid!;
    process.kill(pid, 'SIGINT');
    process.kill(pid, 'SIGTERM');
    const { code, signal } = await server.gone();
    expect([code, signal]).toEqual([1, null]);
  });

  test('a wrong configuration: all mistakes at once, exit 78', () => {
    const { status, stderr } = run({ PORT: 'x', LOG_LEVEL: 'loud', DATA_DIR: folder });
    expect(status).toBe(78);
    expect(stderr).toContain('PORT');
    expect(stderr).toContain('LOG_LEVEL');
    expect(stderr).not.toContain('    at ');
  });

  test('a port that is taken, and data that another has: a reason without a stack, exit 69', async () => {
    const port = String(await freePort());
    await using server = await ServerProcess.start({
      PORT: port,
      DATA_DIR: path.join(folder, 'a'),
    });
    const taken = run({ PORT: port, DATA_DIR: path.join(folder, 'b') });
    expect(taken.status).toBe(69);
    expect(taken.stderr).toContain(`${port}: it is in use; set PORT`);
    const second = run({ PORT: '0', DATA_DIR: path.join(folder, 'a') });
    expect(second.status).toBe(69);
    expect(taken.stderr + second.stderr).not.toContain('    at ');
    expect((await fetch(`${server.url}/ready`)).status).toBe(200);
  });

  test('keys that cannot be used: a reason without a stack, exit 69', () => {
    const { status, stderr } = run({
      PORT: '0',
      DATA_DIR: path.join(folder, 'keys'),
      ACCESS_TOKEN_KEYS: path.join(folder, 'nowhere.json'),
    });
    expect(status).toBe(69);
    expect(stderr).toContain('nowhere.json');
    expect(stderr).not.toContain('    at ');
  });
});
