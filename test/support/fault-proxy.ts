import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from './process.ts';

/** Up: from whoever dials the proxy; down: the answers. */
export type Direction = 'up' | 'down';

interface Trap {
  readonly text: string;
  readonly direction: Direction;
  /** Whether what it is sprung by still arrives. */
  readonly passes: boolean;
  readonly onSprung: () => void;
}

/** A connection through the proxy: its two ends, and what is on its way. */
interface Pair {
  readonly ends: readonly [dialler: Socket, target: Socket];
  /** Something was swallowed: what both ends think was said differs, so it cannot go on. */
  isTorn: boolean;
}

/**
 * A TCP link that can be spoilt: cut, delayed, half-open (it takes what is said, and says nothing), or cut at the very
 * moment at which something is said. It listens on a port of its own and passes all on to one target.
 */
export class FaultProxy implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #traps = new Set<Trap>();
  #targetPort: number;
  #state: 'clear' | 'cut' | 'silent' = 'clear';
  #delayMs = 0;

  /** `start` is the way to one. */
  constructor(port: number, targetPort: number) {
    this.port = port;
    this.#targetPort = targetPort;
    this.#server = createServer({ noDelay: true }, (socket) => this.#take(socket));
  }

  static async start(targetPort: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(await freePort(), targetPort);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject);
      proxy.#server.listen(proxy.port, '127.0.0.1', resolve);
    });
    return proxy;
  }

  /** From now on it leads elsewhere; what led to the old target ends. */
  retarget(port: number): void {
    this.#targetPort = port;
    this.dropAll();
  }

  /** Ends all connections, and new ones as soon as they come. */
  cut(): void {
    this.#state = 'cut';
    this.dropAll();
  }

  /** Half-open: connections stand, new ones too, and nothing that is said on them arrives. */
  silence(): void {
    this.#state = 'silent';
  }

  /** Whatever is said arrives so much later, in its order. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** Passes on all again; connections of which something was swallowed end. */
  heal(): void {
    this.#state = 'clear';
    this.#delayMs = 0;
    this.#traps.clear();
    for (const pair of this.#pairs) if (pair.isTorn) drop(pair);
  }

  /** Ends all connections; new ones are welcome. */
  dropAll(): void {
    for (const pair of this.#pairs) drop(pair);
  }

  /**
   * Cuts the connection on which a text is said next, at that moment: right after it has arrived, or before.
   * @returns when that has happened; never, where it does not before `heal`.
   */
  cutAt(text: string, direction: Direction, { passes }: { passes: boolean }): Promise<void> {
    return new Promise((resolve) => {
      this.#traps.add({ text, direction, passes, onSprung: resolve });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.dropAll();
    await closed;
  }

  #take(dialler: Socket): void {
    if (this.#state === 'cut') {
      dialler.on('error', () => undefined).destroy();
      return;
    }
    const target = connect({ port: this.#targetPort, host: '127.0.0.1', noDelay: true });
    const pair: Pair = { ends: [dialler, target], isTorn: this.#state === 'silent' };
    this.#pairs.add(pair);
    this.#pass(pair, dialler, target, 'up');
    this.#pass(pair, target, dialler, 'down');
  }

  #pass(pair: Pair, from: Socket, to: Socket, direction: Direction): void {
    let sent: Promise<void> = Promise.resolve();
    let waiting = 0;
    const write = (chunk: Buffer): void => {
      if (to.destroyed || to.write(chunk)) return;
      from.pause();
      to.once('drain', () => from.resume());
    };
    from.on('data', (chunk: Buffer) => {
      if (this.#state === 'silent') pair.isTorn = true;
      if (pair.isTorn) return;
      if (this.#traps.size > 0 && this.#spring(pair, to, chunk, direction)) return;
      if (this.#delayMs === 0 && waiting === 0) return write(chunk);
      const dueAtMs = Date.now() + this.#delayMs;
      waiting += 1;
      sent = sent.then(async () => {
        await new Promise((resolve) => setTimeout(resolve, dueAtMs - Date.now()));
        waiting -= 1;
        write(chunk);
      });
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      // A dead target is no news over a silent link.
      if (pair.isTorn && this.#state === 'silent') return;
      this.#pairs.delete(pair);
      if (waiting === 0) to.destroySoon();
      else void sent.then(() => to.destroySoon());
    });
  }

  #spring(pair: Pair, to: Socket, chunk: Buffer, direction: Direction): boolean {
    for (const trap of this.#traps) {
      if (trap.direction !== direction || !chunk.includes(trap.text)) continue;
      this.#traps.delete(trap);
      if (trap.passes) to.write(chunk, () => drop(pair));
      else drop(pair);
      trap.onSprung();
      return true;
    }
    return false;
  }
}

function drop({ ends }: Pair): void {
  for (const end of ends) end.destroy();
}
