import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readyWithinMs = 120_000;

/** The server as a process of its own, as an operator runs it: to be killed, and started again on the same data. */
export class ServerProcess implements AsyncDisposable {
  readonly url: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #command: readonly string[];
  #child: ChildProcess | undefined;
  #output = '';

  /**
   * @param env what the server reads.
   * @param main a built server; without it, it runs from its sources.
   */
  constructor(port: number, env: Readonly<Record<string, string>>, main?: string) {
    const fromSource = ['--import', import.meta.resolve('tsx'), `${root}src/main.ts`];
    this.#command = main === undefined ? fromSource : ['--enable-source-maps', main];
    this.url = `http://127.0.0.1:${port}`;
    this.#env = { ...env, PORT: String(port) };
  }

  /** Starts it and waits until it is ready. PORT is chosen here where it is not given. */
  static async start(env: Readonly<Record<string, string>>): Promise<ServerProcess> {
    const server = new ServerProcess(Number(env['PORT'] ?? (await freePort())), env);
    await server.start();
    return server;
  }

  /** All that it wrote, over all its lives. */
  get output(): string {
    return this.#output;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** @param env what is different in this life. */
  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.#waitUntilReady(this.launch(env));
  }

  /** Starts it and does not wait: it may be gone before it is ready. */
  launch(env: Readonly<Record<string, string>> = {}): ChildProcess {
    const child = spawn(process.execPath, this.#command, {
      // Where there is no .env of the developer's.
      cwd: `${root}test`,
      env: { PATH: process.env['PATH'] ?? '', ...this.#env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    }
    this.#child = child;
    return child;
  }

  /** As a crash: the system takes the process away. */
  async kill9(): Promise<void> {
    await this.#signal('SIGKILL');
  }

  /** As an operator asks for it. @returns the exit code. */
  async stop(): Promise<number | null> {
    return this.#signal('SIGTERM');
  }

  /** Waits until it is gone by itself. @returns exit code and signal. */
  async gone(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    const child = this.#child;
    if (!child) return { code: null, signal: null };
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    this.#child = undefined;
    return { code: child.exitCode, signal: child.signalCode };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill9();
  }

  async #signal(signal: NodeJS.Signals): Promise<number | null> {
    this.#child?.kill(signal);
    return (await this.gone()).code;
  }

  async #waitUntilReady(child: ChildProcess): Promise<void> {
    const deadline = Date.now() + readyWithinMs;
    while (Date.now() < deadline && child.exitCode === null && child.signalCode === null) {
      const ready = await fetch(`${this.url}/ready`).catch(() => null);
      // Another one may answer there, and this one find its port taken.
      if (ready?.ok && child.exitCode === null) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await this.kill9();
    throw new Error(`the server did not get ready:\n${this.#output}`);
  }
}

const firstPort = 20_000;
const portsOfWorker = 1_500;
/** So many workers that run side by side have ports of their own; the run itself takes those of the first. */
const workersApart = 8;
let lastDrawn = Math.floor(Math.random() * portsOfWorker);

/**
 * A port that nobody has at this moment, below those that the system hands out. No one is drawn twice, here or by another worker
 * of the run: whoever is to listen on it may not do so yet.
 */
export async function freePort(): Promise<number> {
  const worker = Number(process.env['VITEST_POOL_ID'] ?? 0) % workersApart;
  for (;;) {
    lastDrawn = (lastDrawn + 1) % portsOfWorker;
    const port = firstPort + worker * portsOfWorker + lastDrawn;
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
