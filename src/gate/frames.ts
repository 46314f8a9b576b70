import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { steadyClock } from '../lib/clock.ts';

/** Frames that one operation needs at most, with what stands around it: subscribe, complete, pings. */
const framesPerOperation = 4;
/** For how long of silence frames may be saved up. */
const savedMs = 2_000;
/** Who reads nothing gets no pong either. */
const unreadBytesMax = 65_536;

/**
 * How fast a socket may send frames of any kind: who is faster is not read for a while, so that their own system holds
 * them back. What one read of the system brought is taken whole, and waited for afterwards. Pings are answered while the
 * answers are read.
 */
export class FramePace {
  /** 0: no frame has to wait. */
  readonly #frameMs: number;

  /** @param deps.operationsPerSecond 0: as fast as they like. */
  constructor({ operationsPerSecond }: { operationsPerSecond: number }) {
    this.#frameMs =
      operationsPerSecond === 0 ? 0 : 1_000 / (operationsPerSecond * framesPerOperation);
  }

  /** From now on for as long as the socket lives. */
  keep(ws: WebSocket, wire: Duplex): void {
    /** When all that has come would have come at the pace. */
    let paidAtMs = 0;
    let pause: NodeJS.Timeout | undefined;
    const rest = (): void => {
      const waitMs = paidAtMs - steadyClock.now() - savedMs;
      if (pause || waitMs <= 0) return;
      ws.pause();
      pause = setTimeout(() => {
        pause = undefined;
        ws.resume();
        rest();
      }, waitMs);
    };
    const frame = (): void => {
      paidAtMs = Math.max(paidAtMs, steadyClock.now()) + this.#frameMs;
      rest();
    };
    ws.on('message', frame);
    ws.on('pong', frame);
    ws.on('ping', (data) => {
      frame();
      if (wire.writable && wire.writableLength < unreadBytesMax) ws.pong(data);
    });
    ws.once('close', () => clearTimeout(pause));
  }
}
