import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { createConnection } from 'mariadb';
import { mysqld } from './binaries.ts';
import { freePort } from './process.ts';

/** A MariaDB of one's own: in a temporary folder, on a free port, and gone afterwards. */
export interface TestMariadb {
  readonly pid: number;
  readonly port: number;
  /** Makes an empty database and gives its `mysql://` URL. */
  createDatabase(): Promise<string>;
  /** As by power cut; `start` brings it back on the same port with the same data. */
  kill9(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const folders = ['/usr/sbin', '/usr/local/sbin', '/usr/bin', '/usr/local/bin', '/opt/homebrew/bin'];

/** Why no MariaDB can be started here, or null: what is missing. */
export function missingMariadb(): string | null {
  if (mysqld !== undefined) return existsSync(mysqld) ? null : `MYSQLD names no file: ${mysqld}`;
  if (!find('mariadbd'))
    return 'mariadbd is not installed (Debian: apt-get install mariadb-server)';
  if (!find('mariadb-install-db')) return 'mariadb-install-db is not installed';
  return null;
}

/**
 * Starts one in a few seconds, whatever runs on this machine.
 * @param settings flags of mariadbd in place of those that keep it small.
 */
export async function startMariadb(settings: readonly string[] = []): Promise<TestMariadb> {
  const missing = missingMariadb();
  if (missing) throw new Error(missing);
  const folder = await mkdtemp(path.join(tmpdir(), 'fastim-mariadb-'));
  try {
    makeDataFolder(folder);
    const server = new Server(folder, await freePort(), settings);
    await server.start();
    return server;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** One in which root needs no password. */
function makeDataFolder(folder: string): void {
  const run = (program: string, flags: readonly string[]): void => {
    const dataDir = `--datadir=${path.join(folder, 'data')}`;
    execFileSync(program, ['--no-defaults', ...flags, dataDir, ...asUser()], {
      stdio: 'pipe',
      env: withOwnTmp(folder),
    });
  };
  if (mysqld === undefined) {
    const flags = ['--auth-root-authentication-method=normal', '--skip-test-db'];
    run(find('mariadb-install-db') ?? '', flags);
    return;
  }
  run(mysqld, ['--initialize-insecure']);
  writeFileSync(path.join(folder, rootFile), rootOverTcp);
}

/** MySQL makes root for its socket alone. */
const rootOverTcp = `CREATE USER IF NOT EXISTS 'root'@'127.0.0.1';
GRANT ALL ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;
`;
const rootFile = 'root.sql';

/** A server that starts removes what looks like tables from the folder for temporary ones: that of each is its own. */
function withOwnTmp(folder: string): NodeJS.ProcessEnv {
  return { ...process.env, TMPDIR: folder };
}

class Server implements TestMariadb {
  readonly port: number;
  readonly #folder: string;
  readonly #settings: readonly string[];
  #process: ChildProcess | null = null;
  #databases = 0;

  constructor(folder: string, port: number, settings: readonly string[]) {
    this.#folder = folder;
    this.#settings = settings;
    this.port = port;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  async start(): Promise<void> {
    const log = path.join(this.#folder, 'error.log');
    const server = spawn(
      mysqld ?? find('mariadbd') ?? '',
      // What only one of both knows is `loose`.
      [
        '--no-defaults',
        `--datadir=${path.join(this.#folder, 'data')}`,
        `--socket=${path.join(this.#folder, 'socket')}`,
        `--pid-file=${path.join(this.#folder, 'pid')}`,
        `--log-error=${log}`,
        `--port=${this.port}`,
        '--bind-address=127.0.0.1',
        '--skip-name-resolve',
        '--innodb-flush-log-at-trx-commit=1',
        '--innodb-buffer-pool-size=64M',
        '--loose-innodb-log-file-size=32M',
        '--loose-key-buffer-size=1M',
        '--loose-aria-pagecache-buffer-size=8M',
        '--loose-skip-log-bin',
        '--loose-mysqlx=OFF',
        '--secure-file-priv=',
        '--performance-schema=OFF',
        '--max-connections=400',
        '--character-set-server=utf8mb4',
        ...(mysqld === undefined ? [] : [`--init-file=${path.join(this.#folder, rootFile)}`]),
        ...this.#settings,
        ...asUser(),
      ],
      { stdio: 'ignore', env: withOwnTmp(this.#folder) },
    );
    this.#process = server;
    const deadline = Date.now() + 30_000;
    for (;;) {
      if (server.exitCode !== null)
        throw new Error(`the database ended: ${await readFile(log, 'utf8').catch(() => '')}`);
      try {
        await this.#query('SELECT 1');
        return;
      } catch (error) {
        if (Date.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  async createDatabase(): Promise<string> {
    this.#databases += 1;
    // Several workers may use one server.
    const name = `fastim_${process.pid}_${this.#databases}_${Math.random().toString(36).slice(2, 8)}`;
    await this.#query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`);
    return `mysql://root@127.0.0.1:${this.port}/${name}`;
  }

  kill9(): Promise<void> {
    return this.#end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const server = this.#process;
    this.#process = null;
    if (!server || server.exitCode !== null) return;
    const ended = once(server, 'exit');
    server.kill(signal);
    const killer = setTimeout(() => server.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(killer);
  }

  async #query(text: string): Promise<void> {
    const connection = await createConnection({
      socketPath: path.join(this.#folder, 'socket'),
      user: 'root',
      connectTimeout: 2_000,
    });
    try {
      await connection.query(text);
    } finally {
      await connection.end();
    }
  }
}

/** Makes an empty database on the server of a URL, and gives its own URL. */
export async function createDatabaseBeside(url: string, name: string): Promise<string> {
  const { hostname, port, username, password } = new URL(url);
  const connection = await createConnection({
    host: hostname,
    port: Number(port),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
  });
  try {
    await connection.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`);
  } finally {
    await connection.end();
  }
  const made = new URL(url);
  made.pathname = `/${name}`;
  return made.href;
}

function find(program: string): string | null {
  const places = [...(process.env['PATH'] ?? '').split(path.delimiter), ...folders];
  return places.map((place) => path.join(place, program)).find((file) => existsSync(file)) ?? null;
}

/** mariadbd does not run as root unless it is told to. */
function asUser(): string[] {
  return userInfo().uid === 0 ? ['--user=root'] : [];
}
