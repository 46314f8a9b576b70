import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cpuMicrosOf, rssKibOf } from '../runner/machine.ts';
import { VoidRun } from '../runner/void.ts';

const readyWithinMs = 60_000;
const stopWithinMs = 20_000;
const outputCharsMax = 20_000;

const alive = new Set<ChildProcess>();
const watched = new Set<() => number>();
// Whatever ends this process, what it has started ends with it.
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

/** The processes that belong to the run, besides this one. */
export function ownPids(): number[] {
  const children = [...alive].flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  return [...children, ...[...watched].map((pid) => pid())];
}

/** Counts another process among the run's own: a database. @returns what ends that. */
export function countAsOwn(pid: () => number): () => void {
  watched.add(pid);
  return () => watched.delete(pid);
}

export interface ServerCommand {
  readonly name: string;
  readonly port: number;
  /** What node is given: flags, the script, its arguments. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Answers 200 once the server can serve. */
  readonly readyPath: string;
}

/** A contender: a process of its own, in a folder of its own. */
export class ServerChild implements AsyncDisposable {
  readonly name: string;
  readonly url: string;
  /** From the start of the process until it said that it was ready. */
  readyAfterMs = 0;
  readonly #command: ServerCommand;
  readonly #folder: string;
  #child: ChildProcess | undefined;
  #output = '';

  constructor(command: ServerCommand, folder: string) {
    this.#command = command;
    this.#folder = folder;
    this.name = command.name;
    this.url = `http://127.0.0.1:${command.port}`;
  }

  static async start(command: ServerCommand): Promise<ServerChild> {
    const folder = await mkdtemp(path.join(tmpdir(), 'fastim-bench-server-'));
    const server = new ServerChild(command, folder);
    await server.#start();
    return server;
  }

  get socketUrl(): string {
    return `${this.url.replace(/^http/, 'ws')}/graphql`;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** What it wrote, the end of it. */
  get output(): string {
    return this.#output;
  }

  cpuMicros(): number {
    return cpuMicrosOf(this.pid);
  }

  rssKib(): number {
    return rssKibOf(this.pid);
  }

  /** As an operator asks for it; by force where it takes too long. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child && child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
      await ended;
      clearTimeout(killer);
    }
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #start(): Promise<void> {
    const { args, env, port, readyPath } = this.#command;
    const began = performance.now();
    const child = spawn(process.execPath, args, {
      cwd: this.#folder,
      env: {
        PATH: process.env['PATH'] ?? '',
        NODE_ENV: 'production',
        PORT: String(port),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    alive.add(child);
    child.once('exit', () => alive.delete(child));
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-outputCharsMax);
      });
    }
    while (performance.now() - began < readyWithinMs) {
      if (child.exitCode !== null || child.signalCode !== null) break;
      const ready = await fetch(`${this.url}${readyPath}`).catch(() => null);
      await ready?.text();
      if (ready?.ok) {
        this.readyAfterMs = performance.now() - began;
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await this.stop();
    throw new VoidRun(`${this.name} did not get ready:\n${this.#output}`);
  }
}
