import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A statement that went by, in ms of performance.now(). */
export interface Passage {
  readonly text: string;
  readonly sentAtMs: number;
  /** When the first byte of its answer came back. */
  answeredAtMs: number;
}

type MutablePassage = { -readonly [Key in keyof Passage]: Passage[Key] };

const commands = { query: 0x03, ping: 0x0e, prepare: 0x16, execute: 0x17, reset: 0x1f };
/** What is said of a command that carries no statement; and of what is said before the first one. */
const names: Readonly<Record<number, string>> = { 0x0e: 'PING', 0x17: 'EXECUTE', 0x1f: 'RESET' };
const handshake = 'HANDSHAKE';
/** What is said for a connection's own sake. */
export const ofConnections = [handshake, 'PING', 'RESET'] as const;

/** Stands between a server and one MariaDB, and sees what is asked and when it is answered. */
export class CountingProxy implements AsyncDisposable {
  readonly #target: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #passages: MutablePassage[] = [];
  #bytes = 0;

  constructor(target: number) {
    this.#target = target;
    this.#server = createServer((client) => this.#carry(client));
  }

  static async start(targetPort: number): Promise<CountingProxy> {
    const proxy = new CountingProxy(targetPort);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** What went by since the last time, and the bytes of the answers. */
  take(): { readonly passages: readonly Passage[]; readonly bytes: number } {
    const taken = { passages: this.#passages, bytes: this.#bytes };
    this.#passages = [];
    this.#bytes = 0;
    return taken;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #begin(text: string): MutablePassage {
    const passage = { text, sentAtMs: performance.now(), answeredAtMs: Infinity };
    this.#passages.push(passage);
    return passage;
  }

  #carry(client: Socket): void {
    const upstream = connect(this.#target, '127.0.0.1');
    // Whoever waits for a connection waits for the server's greeting first.
    const open = [this.#begin(handshake)];
    const reader = new CommandReader();
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    client.on('data', (data) => {
      for (const text of reader.read(data)) open.push(this.#begin(text));
      upstream.write(data);
    });
    upstream.on('data', (data) => {
      this.#bytes += data.length;
      // Statements that were sent one behind the other are one trip.
      for (const passage of open.splice(0)) passage.answeredAtMs = performance.now();
      client.write(data);
    });
  }
}

/**
 * Finds the commands in what a client of MariaDB writes: packets of a length, a number and a body. All that it writes before
 * the first one is of the hand-shake.
 */
class CommandReader {
  #rest: Buffer = Buffer.alloc(0);
  #isSignedIn = false;

  read(data: Buffer): string[] {
    this.#rest = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data]);
    const texts: string[] = [];
    while (this.#rest.length >= 4) {
      const length = this.#rest.readUIntLE(0, 3);
      if (this.#rest.length < 4 + length) break;
      const body = this.#rest.subarray(4, 4 + length);
      const command = body[0] ?? 0;
      // A command begins a new count of packets; the hand-shake does not.
      const isCommand = this.#rest[3] === 0 && Object.values(commands).includes(command);
      this.#isSignedIn ||= isCommand;
      if (isCommand) texts.push(names[command] ?? body.toString('utf8', 1));
      else if (!this.#isSignedIn) texts.push(handshake);
      this.#rest = this.#rest.subarray(4 + length);
    }
    return texts;
  }
}

/**
 * The most trips that can have waited for each other: the longest row of passages of which each began after the one
 * before was answered. An upper bound, since what happens one after the other need not depend on it.
 */
export function roundTrips(passages: readonly Passage[]): number {
  const byEnd = [...passages].sort((one, other) => one.answeredAtMs - other.answeredAtMs);
  let trips = 0;
  let free = -Infinity;
  for (const { sentAtMs, answeredAtMs } of byEnd) {
    if (sentAtMs < free) continue;
    trips += 1;
    free = answeredAtMs;
  }
  return trips;
}
