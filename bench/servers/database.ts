import { createConnection, type Connection } from 'mariadb';
import { startMariadb, type TestMariadb } from '../../test/support/mariadb.ts';
import { cpuMicrosOf } from '../runner/machine.ts';
import { countAsOwn } from './server-child.ts';

/** As a small server of one's own has it; flushed at each commit, which is MariaDB's default. */
const settings = ['--innodb-buffer-pool-size=256M', '--innodb-log-file-size=256M'];

/** A private MariaDB in a fresh folder, for all contenders of a run. */
export interface BenchDatabase extends AsyncDisposable {
  readonly server: TestMariadb;
  cpuMicros(): number;
  createDatabase(): Promise<string>;
}

export async function startDatabase(): Promise<BenchDatabase> {
  const server = await startMariadb(settings);
  const forget = countAsOwn(() => server.pid);
  // Also where the run breaks off.
  const kill = (): void => {
    if (server.pid > 0) process.kill(server.pid, 'SIGKILL');
  };
  process.once('exit', kill);
  return {
    server,
    cpuMicros: () => cpuMicrosOf(server.pid),
    createDatabase: () => server.createDatabase(),
    async [Symbol.asyncDispose]() {
      forget();
      process.off('exit', kill);
      await server.stop();
    },
  };
}

/** A connection for setting up and looking in from outside. */
export async function connectTo(url: string): Promise<Connection> {
  const { hostname, port, username, password, pathname } = new URL(url);
  return createConnection({
    host: hostname,
    port: Number(port),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: pathname.slice(1),
    multipleStatements: true,
  });
}
