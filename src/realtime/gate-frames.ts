import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { Buckets } from '../lib/buckets.ts';
import type { Clock } from '../lib/clock.ts';

/** Frames that one operation needs at most, with what stands around it: subscribe, complete, pings. */
const framesPerOperation = 4;
/** For how long of silence frames may be saved up. */
const savedMs = 2_000;
/** Who reads nothing gets no pong either. */
const unreadBytesMax = 65_536;
/** More sockets than a node holds: each has a bucket as long as it lives. */
const socketsMax = 1_000_000;

/**
 * How fast a socket may send frames of any kind: who is faster is not read for a moment, so that their own system holds
 * them back. Pings are answered while the answers are read.
 */
export class FramePace {
  readonly #buckets: Buckets | null;
  #nextKey = 1;

  /** @param deps.operationsPerSecond 0: as fast as they like. */
  constructor(deps: { clock: Clock; operationsPerSecond: number }) {
    const unitsPerMs = (deps.operationsPerSecond * framesPerOperation) / 1_000;
    this.#buckets =
      unitsPerMs === 0
        ? null
        : new Buckets({
            clock: deps.clock,
            unitsPerMs,
            fullAfterMs: savedMs,
            keysMax: socketsMax,
          });
  }

  /** From now on for as long as the socket lives. */
  keep(ws: WebSocket, wire: Duplex): void {
    const key = String(this.#nextKey++);
    let pause: NodeJS.Timeout | undefined;
    const frame = (): void => {
      const waitMs = this.#buckets?.take(key) ?? 0;
      if (waitMs === 0 || pause) return;
      ws.pause();
      pause = setTimeout(() => {
        pause = undefined;
        ws.resume();
      }, waitMs);
    };
    ws.on('message', frame);
    ws.on('pong', frame);
    ws.on('ping', (data) => {
      frame();
      if (wire.writable && wire.writableLength < unreadBytesMax) ws.pong(data);
    });
    ws.once('close', () => {
      clearTimeout(pause);
      this.#buckets?.forget(key);
    });
  }
}
