import { request } from 'node:http';
import { inject } from 'vitest';

/** What the run's set-up found on this machine and hands to every test file. */
export interface Machine {
  readonly mariadb: boolean;
  readonly mariadbDump: boolean;
  readonly redis: boolean;
  readonly chromium: string | null;
  /** The unix socket on which the set-up hands out databases. */
  readonly socketPath: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    machine: Machine;
  }
}

/** Whether `createMariadbDatabase` can work here; under CI it always can, or nothing runs. */
export function mariadbAvailable(): boolean {
  return inject('machine').mariadb;
}

/** Whether its databases can be dumped here, and read in; under CI they always can, or nothing runs. */
export function mariadbDumpAvailable(): boolean {
  return inject('machine').mariadb && inject('machine').mariadbDump;
}

/** Whether `startRedis` can work here; under CI it always can, or nothing runs. */
export function redisAvailable(): boolean {
  return inject('machine').redis;
}

/** The path of a Chromium or Chrome, or null; under CI never null. */
export function chromiumPath(): string | null {
  return inject('machine').chromium;
}

/**
 * A new, empty database on the run's one private MariaDB, which starts with the first call.
 * @returns its `mysql://` URL.
 */
export async function createMariadbDatabase(): Promise<string> {
  const { socketPath } = inject('machine');
  const answer = await new Promise<{ status: number; body: string }>((resolve, reject) => {
    const call = request(
      { socketPath, path: '/mariadb/databases', method: 'POST', agent: false },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => (body += part));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        response.on('error', reject);
      },
    );
    call.on('error', reject);
    call.end();
  });
  if (answer.status !== 200) throw new Error(`no MariaDB database: ${answer.body}`);
  return answer.body;
}
