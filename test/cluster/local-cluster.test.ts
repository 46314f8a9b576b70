import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { present } from '../../src/lib/assert.ts';
import { signIn, signUp } from '../support/clients.ts';
import { mariadbAvailable, redisAvailable } from '../support/machine.ts';

const isHere = mariadbAvailable() && redisAvailable();
const root = fileURLToPath(new URL('../..', import.meta.url));
const waitMs = 120_000;

/** `npm run cluster` as in a terminal: a process group of its own, which Ctrl-C interrupts as a whole. */
class Cluster {
  readonly #child: ChildProcess;
  #output = '';

  constructor(folder: string) {
    this.#child = spawn('npm', ['run', '--silent', 'cluster'], {
      cwd: root,
      env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', TMPDIR: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    }
  }

  get group(): number {
    return present(this.#child.pid, 'it was started');
  }

  get lines(): string[] {
    return this.#output.trimEnd().split('\n');
  }

  /** @returns where its nodes are. */
  async ready(): Promise<string[]> {
    await expect.poll(() => this.lines.at(-1), { timeout: waitMs }).toBe('ready');
    return this.lines.flatMap((line) => /^node node-\d (\S+)\/graphql$/.exec(line)?.[1] ?? []);
  }

  /** Resolves when it is gone; by which code or signal, npm's versions differ. */
  async interrupt(): Promise<void> {
    const closed = once(this.#child, 'close');
    process.kill(-this.group, 'SIGINT');
    await closed;
  }

  /** Those who would stop the rest have no time to. */
  kill9(): void {
    const own = processes().filter(
      ({ pid, group, args }) =>
        group === this.group && (pid === group || args.includes('tools/cluster.ts')),
    );
    expect(own.length).toBeGreaterThan(1);
    for (const { pid } of own) process.kill(pid, 'SIGKILL');
  }
}

describe.skipIf(!isHere)('npm run cluster', () => {
  let folder: string;
  const groups: number[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'fastim-local-'));
  });

  afterEach(async () => {
    for (const { pid, group } of processes()) {
      if (groups.includes(group)) process.kill(pid, 'SIGKILL');
    }
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  const start = (): Cluster => {
    const cluster = new Cluster(folder);
    groups.push(cluster.group);
    return cluster;
  };

  /** Processes of its own, and files. */
  const left = async (): Promise<string[]> => [
    ...processes()
      .filter(({ group, args }) => groups.includes(group) || args.includes(folder))
      .map(({ args }) => args),
    // The compiler of the tool keeps what it compiled.
    ...(await readdir(folder)).filter((name) => name.startsWith('fastim')),
  ];

  it('says where its nodes are, ends with Ctrl-C, and leaves nothing, not even where it is killed', async () => {
    const killed = start();
    expect(await killed.ready()).toHaveLength(3);
    const count = (await left()).length;
    // Two databases, a Redis, three nodes, and who watches over them.
    expect(count).toBeGreaterThanOrEqual(7);
    killed.kill9();
    await expect.poll(left, { timeout: 30_000 }).toEqual([]);

    const cluster = start();
    const urls = await cluster.ready();
    const [first, second, third] = urls.map((url) => ({ url }));
    for (const url of urls) expect((await fetch(`${url}/ready`)).status).toBe(200);
    await signUp(present(first, 'a node'), 'ann');
    for (const node of [second, third])
      await signIn(present(node, 'a node'), 'ann', { id: node?.url ?? '' });
    await cluster.interrupt();
    // Not a word of what went wrong.
    expect(cluster.lines.at(-1)).toBe('ready');
    await expect.poll(left, { timeout: 30_000 }).toEqual([]);
  }, 400_000);

  it('ends as well where it is interrupted before it is ready', async () => {
    const cluster = start();
    await expect.poll(() => cluster.lines.length, { timeout: waitMs }).toBeGreaterThan(0);
    const isBegun = () => cluster.lines.some((line) => line.startsWith('node node-1'));
    await expect.poll(isBegun, { timeout: waitMs }).toBe(true);
    await cluster.interrupt();
    await expect.poll(left, { timeout: 30_000 }).toEqual([]);
  }, 200_000);
});

interface Running {
  readonly pid: number;
  readonly group: number;
  readonly args: string;
}

/** All on this machine, but for those that have ended and wait to be looked at. */
function processes(): Running[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,pgid=,stat=,args='], { encoding: 'utf8' });
  return lines.split('\n').flatMap((line) => {
    const [, pid, group, state = '', args = ''] =
      /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (pid === undefined || state.startsWith('Z')) return [];
    return [{ pid: Number(pid), group: Number(group), args }];
  });
}
