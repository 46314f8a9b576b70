import { describe, expect, test } from 'vitest';
import type { Closing } from '../../src/gate/close-codes.ts';
import type { Connection } from '../../src/gate/connection.ts';
import { Gate } from '../../src/gate/gate.ts';
import { systemClock, type Clock } from '../../src/lib/clock.ts';
import { createLogger } from '../../src/lib/log.ts';
import { limits } from '../../src/limits.ts';

const url = 'ws://other/graphql';

/** A gate, and connections that say how they were closed. */
function opened(count: number, elsewhere: () => string | null, clock: Clock = systemClock) {
  const gate: Gate = new Gate({
    sessions: { isEnded: () => null, onEnded: () => () => undefined, touch: () => undefined },
    attendance: { connected: () => undefined, disconnected: () => undefined },
    elsewhere,
    clock,
    random: () => 0.5,
    log: createLogger({ level: 'silent' }),
    connectionsPerAddress: 0,
    limits: { ...limits, drainMs: 200, drainSliceMs: 20 },
  });
  const closed = new Map<number, Closing>();
  let wires = 0;
  const open = (): Connection => {
    // As the gate counts its connections; one may be closed before it is handed out.
    const id = (wires += 1);
    const connection: Connection = gate.open(
      {
        write: (_texts, taken) => taken(),
        ping: () => undefined,
        close: (closing) => {
          closed.set(id, closing);
          setImmediate(() => gate.left(connection));
        },
        terminate: () => undefined,
      },
      '192.0.2.1',
    );
    return connection;
  };
  return { gate, closed, open, connections: Array.from({ length: count }, open) };
}

describe('a gate that hands connections on', () => {
  test('closes the oldest with 4604 and where to go, and nobody who waits for an answer', () => {
    const { gate, closed, connections } = opened(5, () => url);
    connections[1]?.beginRequest('query');
    gate.handOn(2);
    expect([...closed.keys()]).toEqual([connections[0]?.id, connections[2]?.id]);
    const hint = { retryAfterMs: 10, url };
    for (const closing of closed.values()) expect(closing).toMatchObject({ code: 4604, hint });
    gate.handOn(0);
    expect(closed.size).toBe(2);
  });

  test('as many as there are other gates for', () => {
    let left = 3;
    const { gate, closed } = opened(5, () => (left-- > 0 ? url : null));
    gate.handOn(5);
    expect(closed.size).toBe(3);
  });
});

describe('a gate that drains', () => {
  test('tells each client once where to go, also one that comes meanwhile', async () => {
    let asked = 0;
    const { gate, closed, open } = opened(20, () => {
      asked += 1;
      return url;
    });
    await gate.start();
    const stopped = gate.stop(400);
    open();
    await stopped;
    expect(closed.size).toBe(21);
    expect(asked).toBe(21);
    for (const { hint } of closed.values()) expect(hint).toEqual({ retryAfterMs: 10, url });
  });

  test('ends in its time, however its clock is set meanwhile', async () => {
    let offMs = 0;
    const clock = { now: () => Date.now() + offMs };
    const { gate, connections } = opened(4, () => url, clock);
    await gate.start();
    // Waits for an answer that never comes.
    for (const connection of connections) connection.beginRequest('query');
    const beganMs = performance.now();
    const stopped = gate.stop(600);
    offMs = -3_600_000;
    await stopped;
    expect(performance.now() - beganMs).toBeLessThan(10_000);
    expect(gate.connectionCount).toBe(0);
  });

  test('asks nobody to come back before it may be there again, where there is no other', async () => {
    const { gate, closed } = opened(20, () => null);
    await gate.start();
    await gate.stop(400);
    for (const { hint } of closed.values()) {
      expect(hint?.url).toBeUndefined();
      expect(hint?.retryAfterMs).toBeGreaterThanOrEqual(10);
      expect(hint?.retryAfterMs).toBeLessThanOrEqual(210);
    }
  });
});
