import { EventEmitter } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { closedLoop } from '../../bench/load/closed-loop.ts';
import { Deliveries, type Told } from '../../bench/load/deliveries.ts';
import { promised } from '../../bench/load/done.ts';
import { openLoop } from '../../bench/load/open-loop.ts';
import { sendRound } from '../../bench/load/send-round.ts';
import { connectRival, type SendContender } from '../../bench/load/senders.ts';
import { flatness } from '../../bench/load/watch-server.ts';
import { median, quantile, seeded } from '../../bench/runner/numbers.ts';
import { readCommandLine } from '../../bench/runner/options.ts';
import { isReached, measureLine, reportLines, weakest } from '../../bench/runner/report.ts';
import { abba, thereAndBack } from '../../bench/runner/rounds.ts';
import type { Measure, RunOptions } from '../../bench/runner/scenario.ts';
import { VoidRun } from '../../bench/runner/void.ts';
import { roundTrips } from '../../bench/servers/counting-proxy.ts';
import { recoveredAfter } from '../../bench/scenarios/overload.ts';
import type { RunningRival } from '../../bench/servers/rival.ts';

const told = (seq: number, given: Partial<Told> = {}): Told => ({
  id: `m${seq}`,
  conversationId: 'c',
  seq,
  text: `text ${seq}`,
  ...given,
});

function watched(): Deliveries {
  const deliveries = new Deliveries();
  deliveries.expect('c', 0);
  return deliveries;
}

describe('deliveries', () => {
  it('are all there, whichever comes first, the acknowledgement or the delivery', async () => {
    const deliveries = watched();
    deliveries.acknowledged(told(1));
    deliveries.delivered(told(1));
    deliveries.delivered(told(2));
    deliveries.acknowledged(told(2));
    deliveries.acknowledged(told(3));
    setTimeout(() => deliveries.delivered(told(3)), 20);
    await deliveries.settle(5_000);
    expect(deliveries.count).toBe(3);
  });

  it('void a run when one is missing', async () => {
    const deliveries = watched();
    deliveries.acknowledged(told(1));
    await expect(deliveries.settle(10)).rejects.toThrow(VoidRun);
  });

  it.each([
    ['has another text', told(1, { text: 'text 1 ' })],
    ['has another id', told(1, { id: 'm2' })],
    ['has another seq', told(2)],
    ['is of another conversation', told(1, { conversationId: 'd' })],
  ])('void a run when one %s', async (_what, wrong) => {
    const deliveries = watched();
    deliveries.acknowledged(told(1));
    deliveries.delivered(wrong);
    await expect(deliveries.settle(10)).rejects.toThrow(VoidRun);
  });

  it('void a run when one comes twice, or before an earlier one', () => {
    const twice = watched();
    twice.delivered(told(1));
    twice.delivered(told(1));
    expect(() => twice.check()).toThrow(/after 1/);
    const early = watched();
    early.delivered(told(2));
    expect(() => early.check()).toThrow(/after 0/);
  });

  it('may begin with what is older than the first to be counted, but not end with it', () => {
    const deliveries = new Deliveries();
    deliveries.expect('c', 1);
    deliveries.delivered(told(1));
    deliveries.delivered(told(2));
    deliveries.check();
    expect(deliveries.count).toBe(1);
    deliveries.delivered(told(1));
    expect(() => deliveries.check()).toThrow(/after 2/);
  });

  it('void a run when one seq is acknowledged twice', () => {
    const deliveries = watched();
    deliveries.acknowledged(told(1));
    deliveries.acknowledged(told(1));
    expect(() => deliveries.check()).toThrow(/acknowledged twice/);
  });
});

/** What a server of the rivals' kind does with one message; it may do it wrongly. */
type Faults = (
  seq: number,
) => Partial<Record<'ack' | 'delivery', Partial<{ text: string; seq: number }> | null>>;

const options: RunOptions = {
  rounds: 1,
  seconds: 0.1,
  warmSeconds: 0.02,
  isSmoke: true,
  isLenient: true,
  seed: 1,
  say: () => undefined,
};
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A whole measurement against a server that speaks as the rivals do, in this process. */
async function measured(faults: Faults) {
  const http = createServer();
  const url = await listening(http);
  const sockets = new WebSocketServer({ server: http });
  const bus = new EventEmitter();
  let seq = 0;
  sockets.on('connection', (socket) => {
    socket.on('message', (data: Buffer) => {
      answer(socket, bus, JSON.parse(data.toString('utf8')) as Asked, faults, () => (seq += 1));
    });
  });
  closing.push(() => new Promise((resolve) => http.close(resolve)));
  const server = { name: 'rival', socketUrl: url, cpuMicros: () => 0 };
  const running = { server, accessTokens: ['a', 'b'] } as unknown;
  const contender: SendContender = await connectRival(running as RunningRival, {
    count: 1,
    size: 2,
  });
  closing.push(async () => contender[Symbol.asyncDispose]());
  return sendRound(contender, 1, options, () => 0);
}

interface Asked {
  readonly id?: string;
  readonly type: string;
  readonly payload?: { readonly query: string; readonly variables: Record<string, string> };
}

function answer(
  socket: WebSocket,
  bus: EventEmitter,
  { id, type, payload }: Asked,
  faults: Faults,
  nextSeq: () => number,
): void {
  const say = (message: object): void => socket.send(JSON.stringify(message));
  const next = (data: object): void => say({ id, type: 'next', payload: { data } });
  if (type === 'connection_init') say({ type: 'connection_ack' });
  else if (payload?.query.includes('subscription'))
    bus.on('message', (messageAdded: object) => next({ messageAdded }));
  else if (payload?.query.includes('mutation')) {
    const seq = nextSeq();
    const message = { id: `m${seq}`, seq, ...payload.variables };
    const { ack = {}, delivery = {} } = faults(seq);
    if (delivery !== null) bus.emit('message', { ...message, ...delivery });
    next({ sendMessage: { ...message, ...ack } });
    say({ id, type: 'complete' });
  } else next({ __typename: 'Query' });
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a measurement of sends', () => {
  it('counts what was acknowledged and delivered', async () => {
    const sample = await measured(() => ({}));
    expect(sample.acknowledged).toBeGreaterThan(0);
    expect(sample.perSecond).toBeGreaterThan(0);
  });

  it('is void when a delivery has another text', async () => {
    await expect(measured((seq) => (seq === 2 ? { delivery: { text: 'x' } } : {}))).rejects.toThrow(
      /otherwise than it was acknowledged/,
    );
  });

  it('is void when a delivery is missing', async () => {
    await expect(measured((seq) => (seq === 2 ? { delivery: null } : {}))).rejects.toThrow(
      /was delivered after 1/,
    );
  });

  it('is void when an acknowledgement tells another message', async () => {
    await expect(measured((seq) => (seq === 2 ? { ack: { text: 'x' } } : {}))).rejects.toThrow(
      /acknowledged as another message/,
    );
  });
});

const measure = (ratios: readonly number[], aim: number): Measure => ({
  name: 'send',
  ratios,
  aim,
  floor: aim * 0.7,
  what: 'messages a second',
});

describe('the report', () => {
  it('ends with scenario, median, worst and aim', () => {
    const lines = reportLines([measure([1], 2), measure([30.14, 27, 41], 25)], ['a table']);
    expect(lines.at(-1)).toBe('send: 30.1, worst 27, aim 25');
    expect(lines.at(-1)).toMatch(/^[a-z-]+: [\d.]+, worst [\d.]+, aim [\d.]+$/);
  });

  it('holds the median against the aim, and the worst round against the floor', () => {
    expect(isReached(measure([30, 27, 41], 25))).toBe(true);
    expect(isReached(measure([24, 24, 41], 25))).toBe(false);
    expect(isReached(measure([30, 30, 17], 25))).toBe(false);
  });

  it('knows which of several aims is furthest away', () => {
    expect(weakest([measure([10], 4), measure([2], 1.8)])).toEqual(measure([2], 1.8));
    expect(measureLine(measure([123.4], 1.8))).toBe('send: 123, worst 123, aim 1.8');
  });
});

describe('rounds', () => {
  it('take turns there and back', async () => {
    const order: string[] = [];
    const one = (name: string) => async () => order.push(name);
    await abba(3, one('a'), one('b'));
    expect(order.join('')).toBe('abbaab');
    order.length = 0;
    const results = await thereAndBack(2, [one('a'), one('b'), one('c')]);
    expect(order.join('')).toBe('abccba');
    expect(results).toEqual([
      [1, 2, 3],
      [6, 5, 4],
    ]);
  });
});

describe('the numbers', () => {
  it('are medians, quantiles and draws that follow from a seed', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(quantile([5, 1, 2, 3, 4], 0.99)).toBe(5);
    const draw = seeded(7);
    const again = seeded(7);
    const drawn = [draw(), draw(), draw()];
    expect(drawn).toEqual([again(), again(), again()]);
    expect(drawn.every((value) => value >= 0 && value < 1)).toBe(true);
  });

  it('tell growth from what is flat', () => {
    const points = (grow: number) =>
      Array.from({ length: 30 }, (_, at) => [at, 100 + at * grow] as const);
    expect(flatness(points(0))).toBe(1);
    expect(flatness(points(2))).toBeLessThan(0.9);
  });

  it('count trips that may have waited for each other', () => {
    const passage = (sentAtMs: number, answeredAtMs: number) => ({
      text: '',
      sentAtMs,
      answeredAtMs,
    });
    expect(roundTrips([passage(0, 5), passage(1, 4), passage(2, 6)])).toBe(1);
    expect(roundTrips([passage(0, 1), passage(2, 3), passage(2, 9), passage(4, 5)])).toBe(3);
    expect(roundTrips([])).toBe(0);
  });
});

it('has recovered when one late answer in twenty is left', () => {
  const after = (late: readonly number[]) =>
    recoveredAfter(
      Array.from({ length: 100 }, (_, n) => [n * 100, late.includes(n) ? Infinity : 10] as const),
      50,
    );
  expect(after([])).toBe(0);
  expect(after([0, 30, 60])).toBe(0);
  expect(after([0, 1, 2, 3, 4, 5])).toBe(200);
  expect(after([0, 1, 2, 3, 4, 5, 6, 7, 99])).toBe(500);
  expect(after([97, 98, 99, ...Array.from({ length: 50 }, (_, n) => n)])).toBe(10_000);
});

describe('loops', () => {
  it('count only the time that is measured, and fail with what failed', async () => {
    const done = await closedLoop([promised(() => pause(5))], { warmSeconds: 0.02, seconds: 0.1 });
    expect(done.count).toBeGreaterThan(0);
    expect(done.count).toBeLessThanOrEqual(25);
    const failing = async () => {
      await pause(1);
      throw new VoidRun('wrong');
    };
    await expect(closedLoop([promised(failing)], { warmSeconds: 0.5, seconds: 5 })).rejects.toThrow(
      'wrong',
    );
  });

  it('offer at a rate, whatever becomes of what was offered', async () => {
    let begun = 0;
    const result = await openLoop(
      200,
      { seconds: 0.25, underWayMax: 1_000 },
      (_at, _turn, done) => {
        begun += 1;
        setTimeout(done, 100);
      },
    );
    expect(result.offered).toBe(begun);
    expect(begun).toBeGreaterThan(20);
    expect(begun).toBeLessThanOrEqual(60);
  });
});

it('reads the command line', () => {
  expect(readCommandLine(['send', '--rounds', '9', '--check'])).toMatchObject({
    scenarios: ['send'],
    rounds: 9,
    seconds: undefined,
    isCheck: true,
    isSmoke: false,
  });
  expect(() => readCommandLine(['send', '--rounds', 'many'])).toThrow(/whole number/);
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
