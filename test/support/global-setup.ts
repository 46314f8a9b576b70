import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import {
  chromium,
  findBinary,
  install,
  mariadbDump,
  mariadbServer,
  mayInstall,
  redisServer,
  versionOf,
  type Binary,
} from './binaries.ts';
import type { TestMariadb } from './mariadb.ts';

/**
 * Once per run, in the main process: finds or installs what the tests need, and hands out
 * databases on one private MariaDB that starts when the first is asked for. Servers that
 * happen to run on this machine are never touched.
 */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const found = provideBinaries([mariadbServer, mariadbDump, redisServer, chromium]);
  const folder = mkdtempSync(join(tmpdir(), 'fastim-test-'));
  const socketPath = join(folder, 'machine.sock');
  let mariadb: Promise<TestMariadb> | undefined;
  let running: TestMariadb | undefined;
  const server = createServer((request, response) => {
    const answer = async (): Promise<string> => {
      if (request.url !== '/mariadb/databases') throw new Error(`no such thing: ${request.url}`);
      mariadb ??= import('./mariadb.ts').then(({ startMariadb }) => startMariadb());
      running = await mariadb;
      return running.createDatabase();
    };
    answer().then(
      (body) => response.writeHead(200).end(body),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await listen(server, socketPath);
  // Also where the run is broken off: no server outlives it.
  const killAtExit = (): void => {
    if (running && running.pid > 0) process.kill(running.pid, 'SIGKILL');
  };
  process.once('exit', killAtExit);
  project.provide('machine', {
    mariadb: found.get(mariadbServer) != null,
    mariadbDump: found.get(mariadbDump) != null,
    redis: found.get(redisServer) != null,
    chromium: found.get(chromium) ?? null,
    socketPath,
  });
  return async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    // One that failed to start has said so to the test that asked, and has nothing to stop.
    const started = await mariadb?.catch(() => undefined);
    await started?.stop();
    process.off('exit', killAtExit);
    rmSync(folder, { recursive: true, force: true });
  };
}

/** Where each binary is; null, said loudly, where it is not. Under CI that is a failure. */
function provideBinaries(wanted: readonly Binary[]): Map<Binary, string | null> {
  const missing = wanted.filter((binary) => findBinary(binary) === null);
  if (missing.length > 0 && mayInstall()) {
    const packages = missing.flatMap((binary) => binary.debianPackages);
    console.log(`Installing for the tests: ${packages.join(' ')} …`);
    try {
      install(packages);
    } catch (error) {
      console.error(`Could not install: ${String(error)}`);
    }
  }
  const found = new Map(wanted.map((binary) => [binary, findBinary(binary)]));
  console.log(`Tests run with Node ${process.version}`);
  for (const [binary, path] of found) {
    if (path !== null) console.log(`${binary.what}: ${path}, ${versionOf(path)}`);
    else console.error(`\n!!! ${binary.what} NOT FOUND: the tests that need it are SKIPPED !!!\n`);
  }
  if (process.env['CI'] && [...found.values()].includes(null)) {
    throw new Error('under CI every test runs: install what is named above');
  }
  return found;
}

function listen(server: Server, socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
}
