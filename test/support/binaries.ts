import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

export interface Binary {
  readonly what: string;
  /** Names to look for on the PATH and in /usr/sbin, and absolute paths. */
  readonly names: readonly string[];
  /** Debian's packages that bring it; none of them starts a service of its own. */
  readonly debianPackages: readonly string[];
}

/** The program of a MySQL that takes MariaDB's place, where somebody wants to know how FastIM does on it. */
export const mysqld = process.env['MYSQLD'];

/** The core packages: the server's programs without the service that Debian would start. */
export const mariadbServer: Binary = {
  what: mysqld === undefined ? 'MariaDB server' : 'MySQL server, in place of MariaDB',
  names: mysqld === undefined ? ['mariadbd', 'mysqld'] : [mysqld],
  debianPackages: ['mariadb-server-core', 'mariadb-client-core'],
};

/** What dumps its databases. */
export const mariadbDump: Binary = {
  what: 'MariaDB dump',
  names: ['mariadb-dump'],
  debianPackages: ['mariadb-client'],
};

export const redisServer: Binary = {
  what: 'Redis server',
  names: ['redis-server'],
  debianPackages: ['redis-server'],
};

export const chromium: Binary = {
  what: 'Chromium',
  names: [
    'chromium',
    'chromium-browser',
    'google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ],
  debianPackages: ['chromium'],
};

/** The absolute path of the first that is there and may be run, or null. */
export function findBinary(binary: Binary): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  for (const name of binary.names) {
    const paths = isAbsolute(name) ? [name] : folders.map((folder) => join(folder, name));
    const found = paths.find(mayRun);
    if (found !== undefined) return found;
  }
  return null;
}

function mayRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The first line of `--version`. */
export function versionOf(path: string): string {
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 20_000 });
  return stdout.trim().split('\n')[0] || 'unknown version';
}

/** Whether this machine lets us install what is missing: Debian or its kin, as root. */
export function mayInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
}

/**
 * Installs Debian's packages without starting any service.
 * @throws where apt-get fails, with its last words.
 */
export function install(packages: readonly string[]): void {
  const policy = '/usr/sbin/policy-rc.d';
  const ownPolicy = !existsSync(policy);
  // Debian asks this script before it starts a service; 101 forbids it.
  if (ownPolicy) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    aptGet(['update', '-q']);
    aptGet(['install', '-y', '-q', '--no-install-recommends', ...packages]);
  } finally {
    if (ownPolicy) rmSync(policy, { force: true });
  }
}

function aptGet(args: string[]): void {
  execFileSync('apt-get', args, {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 600_000,
  });
}
