import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signUp, type Reachable } from '../support/clients.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openSocket } from '../support/wires.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer(
    { budgets: { operationsPerSecond: 50 } },
    {
      limits: {
        httpHeadersTimeoutMs: 400,
        httpRequestTimeoutMs: 800,
        connectionInitTimeoutMs: 400,
        heartbeatQuietMs: 200,
      },
    },
  );
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

function dial(at: Reachable = server): Socket {
  const socket = connect(Number(new URL(at.url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  return socket;
}

/** Whatever error comes before it. */
const gone = (socket: Socket) =>
  new Promise<void>((resolve) => socket.once('close', () => resolve()));

/** What comes until the other side ends it, while something is dripped in. */
async function drip(socket: Socket, start: string, next: string, everyMs = 50) {
  let answer = '';
  socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
  await once(socket, 'connect');
  socket.write(start);
  const began = performance.now();
  const timer = setInterval(() => socket.writable && socket.write(next), everyMs);
  await gone(socket);
  clearInterval(timer);
  return { answer, tookMs: performance.now() - began };
}

const head = 'POST /graphql HTTP/1.1\r\nHost: x\r\n';
const upgradeHead =
  'GET /graphql HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n';
/** The head of a masked text frame of 60,000 bytes, its mask 0. */
const longFrame = String.fromCharCode(0x81, 0xfe, 0xea, 0x60, 0, 0, 0, 0);

describe('who drips is let go', () => {
  test('with the head of a request', async () => {
    const { answer, tookMs } = await drip(dial(), head, 'x: y\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 408 .*x-content-type-options: nosniff/s);
    expect(tookMs).toBeLessThan(3_000);
  });

  test('with nothing at all', async () => {
    const { tookMs } = await drip(dial(), '', '');
    expect(tookMs).toBeLessThan(3_000);
  });

  test('with the body of a request', async () => {
    const start = `${head}Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{`;
    const { answer, tookMs } = await drip(dial(), start, ' ');
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(tookMs).toBeLessThan(4_000);
  });

  test('with a frame instead of connection_init: 4408', async () => {
    const socket = dial();
    const { answer, tookMs } = await drip(socket, upgradeHead + longFrame, ' ');
    expect(answer).toMatch(/^HTTP\/1\.1 101 /);
    expect(tookMs).toBeLessThan(8_000);
  });

  test('with a frame later on, by the heartbeat that it cannot answer', async () => {
    const socket = await openSocket(server);
    const raw = Reflect.get(socket, '_socket') as Socket;
    raw.write(longFrame, 'latin1');
    const timer = setInterval(() => raw.write(' '), 50);
    const began = performance.now();
    const [code] = (await once(socket, 'close')) as [number];
    clearInterval(timer);
    expect(code).toBe(1006);
    expect(performance.now() - began).toBeLessThan(3_000);
  });

  test('with taking an answer', async () => {
    await using server = await startTestServer({}, { limits: { httpIdleTimeoutMs: 600 } });
    const socket = dial(server);
    let bytes = 0;
    await once(socket, 'connect');
    const types = 'types { name description fields { name description type { name } } }';
    const aliases = Array.from({ length: 20 }, (_, at) => `a${at}: __schema { ${types} }`);
    const query = encodeURIComponent(`{ ${aliases.join(' ')} }`);
    const path = `/graphql?query=${query}`;
    const whole = (await (await fetch(server.url + path)).arrayBuffer()).byteLength;
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(20));
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    socket.on('data', (data) => (bytes += data.length));
    await gone(socket);
    expect(bytes).toBeLessThan(20 * whole);
  });

  test('and is told what is wrong with what is no request', async () => {
    const { answer } = await drip(dial(), 'GET / HTTP/1.1\r\nHost x\r\n\r\n', '');
    expect(answer).toMatch(/^HTTP\/1\.1 400 .*frame-ancestors 'none'/s);
    const long = `GET / HTTP/1.1\r\nHost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`;
    expect((await drip(dial(), long, '')).answer).toMatch(/^HTTP\/1\.1 431 /);
  });
});

describe('who floods', () => {
  test('with pings and pongs is read no faster than it may send, and others are served', async () => {
    const user = await signUp(server, 'ann');
    const flooding = await openSocket(server);
    let pongs = 0;
    flooding.on('pong', () => (pongs += 1));
    flooding.on('message', () => (pongs += 1));
    const began = performance.now();
    const cpu = process.cpuUsage();
    for (let sent = 0; sent < 30_000; sent += 1) {
      if (sent % 3 === 0) flooding.send('{"type":"ping"}');
      else if (sent % 3 === 1) flooding.ping();
      else flooding.pong();
    }
    const sockets = await Promise.all([user.socket(), user.socket()]);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const seconds = (performance.now() - began) / 1_000;
    const { user: userUs, system } = process.cpuUsage(cpu);
    // 200 frames a second, 400 saved up, and what one read of the system brings.
    expect(pongs).toBeLessThan(15_000);
    expect(pongs).toBeGreaterThan(100);
    expect(seconds).toBeLessThan(10);
    expect((userUs + system) / 1_000_000).toBeLessThan(10);
    for (const socket of sockets) await socket.close();
    flooding.terminate();
  });

  test('with pings and reads no pong is owed none', async () => {
    await using server = await startTestServer({ budgets: { operationsPerSecond: 0 } });
    const socket = await openSocket(server);
    let pongs = 0;
    socket.on('pong', () => (pongs += 1));
    socket.pause();
    const count = 150_000;
    for (let sent = 0; sent < count; sent += 1) {
      socket.ping('x'.repeat(120));
      if (sent % 5_000 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await expect.poll(() => socket.bufferedAmount, { timeout: 15_000 }).toBe(0);
    socket.resume();
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    // What the system's own buffers hold, and a little.
    expect(pongs).toBeLessThan(count * 0.7);
    socket.terminate();
  });

  test('with wires that say nothing gets no more than it may hold', async () => {
    await using server = await startTestServer({ budgets: { connectionsPerAddress: 20 } });
    const wires = Array.from({ length: 60 }, () => dial(server).resume());
    let refused = 0;
    for (const wire of wires) void gone(wire).then(() => (refused += 1));
    await expect.poll(() => refused).toBe(20);
    for (const wire of wires) wire.destroy();
    const health = () => fetch(`${server.url}/health`).then(({ status }) => status, String);
    await expect.poll(health).toBe(200);
  });
});
