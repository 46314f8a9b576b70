import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readConfig, type Config } from '../../src/config.ts';
import { createLogger } from '../../src/lib/log.ts';
import { FastimServer, type ServerDeps } from '../../src/server.ts';
import { cheapPasswords } from './accounts.ts';
import { createMariadbDatabase } from './machine.ts';

/** What of the configuration a test sets; the rest is as it is without any environment. */
export type ConfigOverrides = {
  readonly [K in keyof Config]?: Config[K] extends readonly unknown[] | string
    ? Config[K]
    : Partial<Config[K]>;
};

export interface TestServerOptions extends ServerDeps {
  /** Default: SQLite. `mysql`: two databases of their own on the run's MariaDB. */
  readonly engine?: 'sqlite' | 'mysql';
}

/** A line of the log. */
export interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly [field: string]: unknown;
}

/** A server in this process, on any free port, with data of its own that lives as long as it. */
export interface TestServer extends AsyncDisposable {
  /** `http://…`, without path. */
  readonly url: string;
  readonly config: Config;
  /** What it has logged: warnings and worse. */
  readonly log: readonly LogLine[];
  stop(graceMs?: number): Promise<void>;
  /** Stops it and starts another one on the same data, at the same port. */
  restart(): Promise<void>;
}

/** A configuration on data of its own, in the given folder. */
export async function testConfig(
  folder: string,
  overrides: ConfigOverrides = {},
  engine: 'sqlite' | 'mysql' = 'sqlite',
): Promise<Config> {
  const base = readConfig({ PORT: '0', DATA_DIR: folder });
  const databaseUrls =
    engine === 'mysql' ? [await createMariadbDatabase(), await createMariadbDatabase()] : [];
  const config = { ...base, storage: { ...base.storage, databaseUrls } };
  const merged = Object.entries(overrides).map(([name, given]: [string, unknown]) => {
    const before: unknown = config[name as keyof Config];
    const isGroup = typeof before === 'object' && before !== null && !Array.isArray(before);
    return [name, isGroup ? { ...before, ...(given as object) } : given];
  });
  return { ...config, ...(Object.fromEntries(merged) as Partial<Config>) };
}

export async function startTestServer(
  overrides: ConfigOverrides = {},
  { engine, ...deps }: TestServerOptions = {},
): Promise<TestServer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'fastim-server-'));
  const lines: LogLine[] = [];
  const log = createLogger(
    { level: 'warn' },
    { write: (line: string) => void lines.push(JSON.parse(line) as LogLine) },
  );
  let config = await testConfig(folder, overrides, engine);
  const start = async (): Promise<FastimServer> => {
    const server = new FastimServer(config, { log, passwordCost: cheapPasswords, ...deps });
    await server.start();
    return server;
  };
  let server = await start();
  const { url, port } = server;
  config = { ...config, http: { ...config.http, port } };
  return {
    url,
    config,
    log: lines,
    stop: (graceMs = 0) => server.stop(graceMs),
    async restart() {
      await server.stop(0);
      server = await start();
    },
    async [Symbol.asyncDispose]() {
      await server.stop(0);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
