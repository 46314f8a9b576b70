import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Told } from './server-child.ts';

/** A server to attack: what went wrong inside it, and the memory that it holds. */
export class FuzzedServer implements AsyncDisposable {
  readonly url: string;
  /** What it has told so far: errors in its log, rejections that nobody handled. */
  readonly findings: string[];
  readonly #child: ChildProcess;

  constructor(child: ChildProcess, url: string, findings: string[]) {
    this.#child = child;
    this.url = url;
    this.findings = findings;
  }

  static async start(): Promise<FuzzedServer> {
    const child = fork(fileURLToPath(new URL('server-child.ts', import.meta.url)), {
      execArgv: ['--expose-gc', '--import', import.meta.resolve('tsx')],
      env: { PATH: process.env['PATH'] ?? '', NODE_ENV: 'test' },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const findings: string[] = [];
    let isStopping = false;
    child.once('exit', (code, signal) => {
      if (!isStopping) findings.push(`the process ended: ${code ?? signal}`);
    });
    child.on('message', (told: Told) => {
      if (told.kind === 'finding') findings.push(told.text);
    });
    const url = await new Promise<string>((resolve, reject) => {
      child.once('exit', () => reject(new Error(`it did not start: ${findings.join('\n')}`)));
      child.on('message', (told: Told) => {
        if (told.kind === 'ready') resolve(told.url);
      });
    });
    const server = new FuzzedServer(child, url, findings);
    server.#beforeStop = () => (isStopping = true);
    return server;
  }

  #beforeStop: () => void = () => undefined;

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** After all garbage has been collected. */
  memory(): Promise<{ rssBytes: number; heapBytes: number }> {
    return new Promise((resolve, reject) => {
      if (!this.isAlive) reject(new Error('it is gone'));
      const listen = (told: Told): void => {
        if (told.kind !== 'memory') return;
        this.#child.off('message', listen);
        resolve(told);
      };
      this.#child.on('message', listen);
      this.#child.send('memory');
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#beforeStop();
    if (!this.isAlive) return;
    this.#child.send('stop');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await once(this.#child, 'exit');
    clearTimeout(timer);
  }
}
