import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { frameHead, FrameReader, opcodes } from '../../bench/load/frames.ts';
import { HttpReader } from '../../bench/load/http-reader.ts';
import { LoadHttp } from '../../bench/load/http.ts';
import { LoadSocket, operation } from '../../bench/load/socket.ts';
import { VoidRun } from '../../bench/runner/void.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** What a reader makes of the bytes, however they are cut into reads. */
function everyWay<T>(bytes: Buffer, read: (parts: readonly Buffer[]) => T): T[] {
  const results = [read([bytes]), read([...bytes].map((byte) => Buffer.from([byte])))];
  for (let at = 1; at < bytes.length; at += 1) {
    results.push(read([bytes.subarray(0, at), bytes.subarray(at)]));
  }
  return results;
}

describe('frames', () => {
  const frame = (payload: string): Buffer => {
    const bytes = Buffer.from(payload);
    const { length } = bytes;
    const long = Buffer.from([0x81, 126, length >>> 8, length & 0xff]);
    return Buffer.concat([length < 126 ? Buffer.from([0x81, length]) : long, bytes]);
  };

  it('are read whole, however they come', () => {
    const texts = ['', 'short', 'é'.repeat(100), '{}'];
    for (const read of everyWay(Buffer.concat(texts.map(frame)), (parts) => {
      const taken: string[] = [];
      const reader = new FrameReader((_opcode, bytes, start, end) => {
        taken.push(bytes.toString('utf8', start, end));
      });
      for (const part of parts) reader.take(part);
      return taken;
    })) {
      expect(read).toEqual(texts);
    }
  });

  it.each([
    ['masked', Buffer.from([0x81, 0x80, 0, 0, 0, 0])],
    ['compressed', Buffer.from([0xc1, 0])],
    ['a part of a message', Buffer.from([0x01, 0])],
  ])('void a run when one is %s', (_what, bytes) => {
    const reader = new FrameReader(() => undefined);
    expect(() => reader.take(bytes)).toThrow(VoidRun);
  });

  it('have heads as the standard has them', () => {
    const bytes = (length: number) => Buffer.from(frameHead(opcodes.text, length), 'latin1');
    expect([...bytes(5)]).toEqual([0x81, 0x85, 0, 0, 0, 0]);
    expect([...bytes(300)]).toEqual([0x81, 0xfe, 1, 44, 0, 0, 0, 0]);
  });
});

describe('responses', () => {
  it.each([
    ['with a length', 'Content-Length: 8\r\n\r\n{"ü":1}'],
    ['in chunks', 'transfer-encoding: chunked\r\n\r\n3\r\n{"\xc3\r\n5\r\n\xbc":1}\r\n0\r\n\r\n'],
  ])('%s are read whole, however they come', (what, rest) => {
    const encoding = what === 'in chunks' ? 'latin1' : 'utf8';
    const bytes = Buffer.from(`HTTP/1.1 200 OK\r\nx: y\r\n${rest}`, encoding);
    for (const read of everyWay(bytes, (parts) => {
      const taken: unknown[] = [];
      const reader = new HttpReader((status, body) => taken.push([status, body]));
      for (const part of parts) reader.take(part);
      return taken;
    })) {
      expect(read).toEqual([[200, '{"ü":1}']]);
    }
  });

  it.each(['HTTP/1.1 200 OK\r\n\r\n{}', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}{}'])(
    'void a run when it is not clear where they end: %j',
    (text) => {
      const reader = new HttpReader(() => undefined);
      expect(() => reader.take(Buffer.from(text))).toThrow(VoidRun);
    },
  );
});

describe('requests over HTTP', () => {
  it('share so many connections, and each gets its answer', async () => {
    let connections = 0;
    const { url, http } = await serving((body, response) => response.end(answerTo(body)));
    http.on('connection', () => (connections += 1));
    const load = new LoadHttp(url, 3);
    closing.push(() => load.close());
    const asked = Array.from({ length: 50 }, (_, n) => n);
    const answers = await Promise.all(asked.map((n) => load.request(echo({ n }), 'token')));
    expect(answers).toEqual(asked.map((n) => ({ n })));
    expect(connections).toBe(3);
  });

  it('fail where the server answers otherwise or not at all, and go on after that', async () => {
    const { url } = await serving((body, response) => {
      if (body.includes('"leave"')) response.destroy();
      else if (body.includes('"deny"')) response.writeHead(403).end('no');
      else response.end(answerTo(body));
    });
    const load = new LoadHttp(url, 1);
    closing.push(() => load.close());
    await expect(load.request(echo({ leave: 1 }), '')).rejects.toThrow('closed a connection');
    await expect(load.request(echo({ deny: 1 }), '')).rejects.toThrow('HTTP 403: no');
    expect(await load.request(echo({ n: 1 }), '')).toEqual({ n: 1 });
  });
});

describe('requests over a socket', () => {
  it('get their answers, texts of any alphabet and length included', async () => {
    const socket = await connected((say, { id, payload }) => {
      say({ id, type: 'next', payload: { data: payload?.variables } });
      say({ id, type: 'complete' });
    });
    for (const text of ['a', '漢字 🙂', 'x'.repeat(20_000)]) {
      expect(await socket.request(echo({ text }))).toEqual({ text });
    }
    socket.check();
  });

  it.each([
    ['answered twice', ['next', 'next'], 'answered twice'],
    ['completed without an answer', ['complete'], 'without an answer'],
  ])('void a run when one is %s', async (_what, types, message) => {
    const socket = await connected((say, { id }) => {
      for (const type of types) say({ id, type, payload: { data: {} } });
    });
    const first = socket.request(echo({})).then(() => socket.request(echo({})));
    await expect(first).rejects.toThrow(message);
  });

  it('void a run when the server closes, or says what is no message', async () => {
    const closed = await connected((_say, _asked, socket) => socket.close(4400));
    await expect(closed.request(echo({}))).rejects.toThrow('with 4400');
    const confused = await connected((_say, _asked, socket) => socket.send('what?'));
    await expect(confused.request(echo({}))).rejects.toThrow(/JSON/);
    expect(() => confused.check()).toThrow(/JSON/);
  });

  it('answer pings, and close as they are asked to', async () => {
    const pongs: string[] = [];
    const socket = await connected((say, { id }, server) => {
      server.on('pong', (data) => {
        pongs.push(data.toString());
        say({ id, type: 'next', payload: { data: {} } });
      });
      server.ping('still there?');
    });
    await socket.request(echo({}));
    await socket.close();
    expect(pongs).toEqual(['still there?']);
    socket.check();
  });
});

const echo = operation('query Echo { echo }');

function answerTo(body: string): string {
  return JSON.stringify({ data: (JSON.parse(body) as Asked['payload'])?.variables });
}

async function serving(
  answer: (body: string, response: ServerResponse) => void,
): Promise<{ url: string; http: Server }> {
  const http = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => answer(body, response));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  closing.push(() => new Promise((resolve) => http.close(resolve)));
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, http };
}

interface Asked {
  readonly id?: string;
  readonly type: string;
  readonly payload?: { readonly variables: object };
}

/** A socket to a server that does with each operation what it is told. */
async function connected(
  answer: (say: (message: object) => void, asked: Asked, socket: WebSocket) => void,
): Promise<LoadSocket> {
  const { url, http } = await serving(() => undefined);
  new WebSocketServer({ server: http }).on('connection', (socket) => {
    const say = (message: object): void => socket.send(JSON.stringify(message));
    socket.on('message', (data: Buffer) => {
      const asked = JSON.parse(data.toString('utf8')) as Asked;
      if (asked.type === 'connection_init') say({ type: 'connection_ack' });
      else answer(say, asked, socket);
    });
  });
  const socket = await LoadSocket.open(url.replace('http', 'ws'), {});
  closing.push(() => socket.close());
  return socket;
}
