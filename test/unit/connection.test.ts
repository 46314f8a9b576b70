import { describe, expect, test } from 'vitest';
import { closings, type Closing } from '../../src/gate/close-codes.ts';
import { Connection, type Transport } from '../../src/gate/connection.ts';

/** A wire that notes what it is asked for, and takes what is written only when it is told to. */
class SlowWire implements Transport {
  readonly writes: string[][] = [];
  readonly closedWith: Closing[] = [];
  isTerminated = false;
  readonly #taken: (() => void)[] = [];

  write(texts: readonly { text: string }[], taken: () => void): void {
    this.writes.push(texts.map(({ text }) => text));
    this.#taken.push(taken);
  }
  take(): void {
    for (const taken of this.#taken.splice(0)) taken();
  }
  ping(): void {}
  close(closing: Closing): void {
    this.closedWith.push(closing);
  }
  terminate(): void {
    this.isTerminated = true;
  }
}

function connected(budget = { eventBytesMax: 100, answerBytesMax: 200, stallMs: 100 }) {
  const wire = new SlowWire();
  const connection = new Connection(1, { transport: wire, budget });
  let closings = 0;
  connection.onClose(() => (closings += 1));
  return { wire, connection, timesTold: () => closings };
}
const tick = () => new Promise((resolve) => setImmediate(resolve));

describe('what waits for a connection', () => {
  test('the texts of a tick go out in one write, in order', async () => {
    const { wire, connection } = connected();
    connection.send('a');
    connection.send('b', 'answer');
    await Promise.resolve();
    connection.send('c');
    await tick();
    connection.send('d');
    await tick();
    expect(wire.writes).toEqual([['a', 'b', 'c'], ['d']]);
  });

  test('is bounded in bytes, also where the wire has them already; beyond: 4603', async () => {
    const { wire, connection, timesTold } = connected();
    connection.send('é'.repeat(25));
    await tick();
    connection.send('x'.repeat(50));
    expect(connection.isOpen).toBe(true);
    connection.send('y');
    expect(wire.closedWith).toEqual([closings.tooSlow]);
    expect(timesTold()).toBe(1);
    connection.send('z');
    await tick();
    // What had not gone out is dropped: the client resumes from what it has.
    expect(wire.writes).toEqual([['é'.repeat(25)]]);
  });

  test('what the wire has taken waits no more', async () => {
    const { wire, connection } = connected();
    for (let round = 0; round < 5; round += 1) {
      connection.send('x'.repeat(90));
      await tick();
      wire.take();
    }
    expect(wire.closedWith).toEqual([]);
    expect(connection.waitingBytes).toBe(0);
  });

  test('a sender that goes at the reader’s pace waits until half of it is free', async () => {
    const { wire, connection } = connected();
    const log: string[] = [];
    connection.send('x'.repeat(50));
    await connection.paced();
    connection.send('x'.repeat(50));
    void connection.paced().then(() => log.push('paced'));
    await tick();
    expect(log).toEqual([]);
    wire.take();
    await tick();
    expect(log).toEqual(['paced']);
    expect(wire.closedWith).toEqual([]);
  });

  test('and does not wait for ever: 4603', async () => {
    const { wire, connection } = connected();
    connection.send('x'.repeat(100));
    const askedAtMs = performance.now();
    await connection.paced();
    expect(performance.now() - askedAtMs).toBeGreaterThan(90);
    expect(wire.closedWith).toEqual([closings.tooSlow]);
    await connection.paced();
  });

  test('answers have a budget of their own', async () => {
    const { wire, connection } = connected();
    connection.send('x'.repeat(150), 'answer');
    connection.send('x'.repeat(90));
    await tick();
    expect(wire.closedWith).toEqual([]);
    connection.send('x'.repeat(60), 'answer');
    expect(wire.closedWith).toEqual([closings.tooSlow]);
  });
});

describe('the end of a connection', () => {
  test('without requests under way it closes at once, behind what was sent', () => {
    const { wire, connection, timesTold } = connected();
    connection.send('a');
    connection.end(closings.sessionEnded, 1_000);
    expect([wire.writes, wire.closedWith]).toEqual([[['a']], [closings.sessionEnded]]);
    connection.end(closings.draining, 1_000);
    connection.close(closings.draining);
    expect(wire.closedWith).toHaveLength(1);
    expect(timesTold()).toBe(1);
  });

  test('requests under way are answered, events are sent no more', async () => {
    const { wire, connection, timesTold } = connected();
    connection.beginRequest('1');
    connection.beginRequest('2');
    connection.end(closings.sessionEnded, 1_000);
    expect([timesTold(), connection.isOpen, wire.closedWith]).toEqual([1, false, []]);
    connection.send('event');
    connection.send('answer 1', 'answer');
    connection.endRequest('1');
    expect(wire.closedWith).toEqual([]);
    connection.send('answer 2', 'answer');
    connection.endRequest('2');
    await tick();
    expect(wire.writes.flat()).toEqual(['answer 1', 'answer 2']);
    expect(wire.closedWith).toEqual([closings.sessionEnded]);
  });

  test('a request that takes too long is not waited for', async () => {
    const { wire, connection } = connected();
    connection.beginRequest('1');
    connection.end(closings.draining, 20);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(wire.closedWith).toEqual([closings.draining]);
  });

  test('whoever listens too late is told at once', () => {
    const { connection } = connected();
    connection.closed();
    let told = 0;
    connection.onClose(() => (told += 1));
    expect(told).toBe(1);
  });
});
