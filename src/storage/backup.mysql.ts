import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, rmSync, writeFileSync } from 'node:fs';
import { finished, pipeline } from 'node:stream/promises';
import { inboxTables } from './inbox-tables.ts';
import { databaseLabel, mariadbOptions } from './mariadb-options.ts';
import { openMysqlSession, type MysqlSession } from './mysql-session.ts';
import { nameRestored } from './shard-facts.ts';
import { SqlError } from './sql.ts';
import { StartupRefusal } from './startup-refusal.ts';

export interface DumpOptions {
  /** What the dumping program is given beside what it needs, as for TLS. */
  readonly flags: readonly string[];
  /** Where a shard's dump goes: a file that is not there yet. */
  readonly fileOf: (shardIndex: number) => string;
}

const programs = ['mariadb-dump', 'mysqldump'];
/** How long writers may be kept from beginning before it is tried another time. */
const lockWaitSeconds = 2;
const lockTriesMax = 5;
/** How long they may be kept from it at most, while the dumps begin. */
const lockedMaxMs = 8_000;
/** What a dump says once it has begun to read at one moment. */
const begun = '-- Table structure';
/** Behind a dump, for whoever reads it in. */
const beginAnew = inboxTables.map((table) => `TRUNCATE TABLE ${table};\n`).join('') + nameRestored;

/**
 * Dumps all shards as they are at one moment, while nodes go on: nobody commits anywhere from when all are locked until all
 * dumps have begun to read. The user of the URLs needs the right to RELOAD.
 * @returns for how long nobody could commit, in ms.
 * @throws {StartupRefusal} where it cannot be done; what there is by then is of no use.
 */
export async function dumpTogether(
  urls: readonly string[],
  { flags, fileOf }: DumpOptions,
): Promise<number> {
  const program = await dumpProgram();
  const dumps: Dump[] = [];
  try {
    const stoodMs = await whileLocked(urls, async () => {
      for (const [index, url] of urls.entries()) {
        dumps.push(startDump(url, program, flags, fileOf(index)));
      }
      await soon(Promise.all(dumps.map(({ reads }) => reads)));
    });
    await Promise.all(dumps.map(({ done }) => done));
    return stoodMs;
  } catch (error) {
    for (const { child } of dumps) child.kill('SIGKILL');
    await Promise.allSettled(dumps.map(({ done }) => done));
    throw error;
  }
}

/** @returns how long it took, in ms, from when the first lock was asked for. */
async function whileLocked(urls: readonly string[], work: () => Promise<void>): Promise<number> {
  const sessions = await openServers(urls);
  try {
    const lockedAtMs = await lockAll(sessions);
    await work();
    await Promise.all(sessions.map((session) => session.execute('UNLOCK TABLES')));
    return performance.now() - lockedAtMs;
  } finally {
    // A lock ends with its session.
    await Promise.all(sessions.map((session) => session.close()));
  }
}

/** One session for each server, several of whose databases may be shards. */
async function openServers(urls: readonly string[]): Promise<MysqlSession[]> {
  const byServer = new Map(
    urls.map((url) => {
      const { host, port, socketPath } = mariadbOptions(url);
      return [socketPath ?? `${host}:${port}`, url];
    }),
  );
  const opened = await Promise.allSettled([...byServer.values()].map(openMysqlSession));
  const sessions = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  for (const one of opened) {
    if (one.status === 'fulfilled') continue;
    await Promise.all(sessions.map((session) => session.close()));
    throw one.reason;
  }
  return sessions;
}

/** @returns when the first of them may have kept somebody from committing. */
async function lockAll(sessions: readonly MysqlSession[]): Promise<number> {
  for (let tries = 1; ; tries += 1) {
    const beganMs = performance.now();
    const locked = await Promise.allSettled(
      sessions.map((session) =>
        session.script(
          `SET SESSION lock_wait_timeout = ${lockWaitSeconds}; FLUSH TABLES WITH READ LOCK`,
        ),
      ),
    );
    const failed = locked.find((one) => one.status === 'rejected');
    if (!failed) return beganMs;
    await Promise.all(sessions.map((session) => session.execute('UNLOCK TABLES')));
    const isBusy = failed.reason instanceof SqlError && failed.reason.kind === 'lockTimeout';
    if (!isBusy || tries === lockTriesMax) {
      throw new StartupRefusal(
        `The shards cannot be locked for a moment (${String(failed.reason)}). Has their user the right to RELOAD?`,
        { cause: failed.reason },
      );
    }
  }
}

async function soon(beginning: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    const refusal = `The dumps had not begun after ${lockedMaxMs} ms, while nobody could write.`;
    timer = setTimeout(() => reject(new StartupRefusal(refusal)), lockedMaxMs);
  });
  await Promise.race([beginning, tooLate]).finally(() => clearTimeout(timer));
}

interface Dump {
  readonly child: ChildProcess;
  /** It reads, as of one moment. */
  readonly reads: Promise<void>;
  /** The file is complete. */
  readonly done: Promise<void>;
}

function startDump(url: string, program: string, flags: readonly string[], file: string): Dump {
  const { host, port, user, password = '', socketPath, database } = mariadbOptions(url);
  // Not among the arguments, which everybody on the machine may see.
  const secret = `${file}.cnf`;
  const quoted = password.replaceAll(/["\\]/g, '\\$&');
  writeFileSync(secret, `[client]\npassword="${quoted}"\n`, { flag: 'wx', mode: 0o600 });
  const place = socketPath ? [`--socket=${socketPath}`] : [`--host=${host}`, `--port=${port}`];
  const how = ['--single-transaction', '--quick', '--hex-blob', '--no-tablespaces'];
  const args = [`--defaults-extra-file=${secret}`, ...place, `--user=${user}`, ...how, ...flags];
  const child = spawn(program, [...args, database], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const failed = (): StartupRefusal =>
    new StartupRefusal(`${program} failed for ${databaseLabel(url)}: ${said.trim()}`);
  const reads = new Promise<void>((resolve, reject) => {
    let head = '';
    const look = (text: Buffer): void => {
      head += text.toString('latin1');
      if (!head.includes(begun)) return;
      child.stdout.off('data', look);
      resolve();
    };
    child.stdout.on('data', look);
    child.once('close', () => reject(failed()));
    child.once('error', reject);
  });
  const write = async (): Promise<void> => {
    const ended = once(child, 'close');
    const target = createWriteStream(file, { flags: 'wx', mode: 0o600, flush: true });
    await pipeline(child.stdout, target, { end: false });
    const [code] = (await ended) as [number | null];
    if (code !== 0) throw failed();
    target.end(beginAnew);
    await finished(target);
  };
  const done = write().finally(() => rmSync(secret, { force: true }));
  // Whoever waits hears of it; before that it is nobody's fault.
  for (const one of [reads, done]) one.catch(() => undefined);
  return { child, reads, done };
}

/** @throws {StartupRefusal} where there is none. */
async function dumpProgram(): Promise<string> {
  for (const program of programs) {
    const child = spawn(program, ['--version'], { stdio: 'ignore' });
    const isThere = await new Promise<boolean>((resolve) => {
      child.once('error', () => resolve(false));
      child.once('close', (code) => resolve(code === 0));
    });
    if (isThere) return program;
  }
  throw new StartupRefusal(`Neither ${programs.join(' nor ')} is installed here.`);
}
