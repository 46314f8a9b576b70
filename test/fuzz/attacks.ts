import { request, type Agent } from 'node:http';
import { WebSocket } from 'ws';
import type { Random } from '../kill/random.ts';
import type { Documents } from './documents.ts';
import type { Values } from './values.ts';

/** What one case draws from. */
export interface Drawing {
  readonly url: string;
  readonly agent: Agent;
  readonly random: Random;
  readonly values: Values;
  readonly documents: Documents;
}

/** What came of a case. `answer` is null where there was none: the connection was closed. */
export interface Came {
  readonly what: string;
  readonly status: number | null;
  readonly answers: readonly string[];
  readonly closeCode?: number;
}

const answerWithinMs = 15_000;
/** How long a stream is read. */
const streamMs = 30;

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string | string[]>;
  readonly body: string | Buffer;
}

/** One HTTP request: a document from the grammar, a mutated one, or a body or headers that are nothing such. */
export async function attackOverHttp(drawing: Drawing): Promise<Came> {
  const sent = drawRequest(drawing);
  const what = `${sent.method} ${sent.path} ${JSON.stringify(sent.headers)} ${sent.body.toString('utf8').slice(0, 3_000)}`;
  const length = Buffer.byteLength(sent.body);
  // Else Node sends a body with some methods that the server must take for the next request.
  const headers = length > 0 ? { ...sent.headers, 'content-length': String(length) } : sent.headers;
  return new Promise((resolve, reject) => {
    const target = new URL(drawing.url);
    const call = request({
      agent: drawing.agent,
      host: target.hostname,
      port: target.port,
      method: sent.method,
      path: sent.path,
      headers,
    });
    const timer = setTimeout(() => call.destroy(new Error('no answer in time')), answerWithinMs);
    call.on('response', (response) => {
      const isStream = response.headers['content-type']?.startsWith('text/event-stream') === true;
      const parts: Buffer[] = [];
      const end = (): void => {
        clearTimeout(timer);
        const answer = Buffer.concat(parts).toString('utf8');
        resolve({ what, status: response.statusCode ?? 0, answers: isStream ? [] : [answer] });
        if (isStream) call.destroy();
      };
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', end);
      response.on('error', end);
      if (isStream) setTimeout(end, streamMs);
    });
    call.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      // A body that is too large may be cut off before it has been read.
      const isCut = error.code === 'ECONNRESET' || error.code === 'EPIPE';
      if (isCut) resolve({ what, status: null, answers: [] });
      else reject(new Error(`${error.message}: ${what}`));
    });
    call.end(sent.body);
  });
}

function drawRequest({ random, values, documents }: Drawing): Sent {
  const drawn = documents.draw();
  const isMutated = random.chance(0.25);
  const query = isMutated ? documents.mutated(drawn.query) : drawn.query;
  const variables = random.chance(0.03) ? values.anything() : drawn.variables;
  const params = {
    query,
    variables,
    ...(random.chance(0.02) ? { operationName: values.anything() } : {}),
  };
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (random.chance(0.85))
    headers['authorization'] = `Bearer ${asHeader(drawToken(random, values))}`;
  const accept = random.pick([
    undefined,
    'application/graphql-response+json',
    'application/json',
    'text/event-stream',
    '*/*;q=0',
    'text/html',
    'é',
  ]);
  if (accept !== undefined && random.chance(0.5)) headers['accept'] = asHeader(accept);
  const whole = Buffer.from(JSON.stringify(params));
  const post = { method: 'POST', path: '/graphql', headers, body: whole };
  switch (random.between(0, 20)) {
    case 0:
      return { ...post, body: mutatedBytes(random, whole) };
    case 1:
      return { ...post, body: JSON.stringify(values.anything() ?? null) };
    case 2:
      return { ...post, body: JSON.stringify([params, params]) };
    case 3: {
      const search = new URLSearchParams({ query, variables: JSON.stringify(variables ?? null) });
      return { ...post, method: 'GET', path: `/graphql?${search.toString()}`, body: '' };
    }
    case 4:
      return { ...post, headers: { ...headers, ...oddHeaders(random) } };
    case 5:
      return {
        ...post,
        method: random.pick(['PUT', 'HEAD', 'OPTIONS', 'DELETE', 'PATCH']) ?? 'PUT',
      };
    case 6:
      return { ...post, path: random.pick(oddPaths) ?? '/' };
    case 7:
      return random.chance(0.1) ? { ...post, body: Buffer.alloc(300_000, 0x20) } : post;
    default:
      return post;
  }
}

function drawToken(random: Random, values: Values): string {
  return random.chance(0.7) ? values.validToken() : values.token();
}

/** Bytes that Node lets pass in a header. */
const asHeader = (text: string): string => text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '?');

function mutatedBytes(random: Random, bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  for (let times = random.between(1, 6); times > 0; times -= 1) {
    copy[random.between(0, copy.length - 1)] = random.between(0, 255);
  }
  return copy.subarray(0, random.chance(0.3) ? random.between(0, copy.length) : copy.length);
}

function oddHeaders(random: Random): Record<string, string | string[]> {
  return (
    random.pick<Record<string, string | string[]>>([
      { 'content-type': 'text/plain' },
      { 'content-type': 'application/json; charset=utf-7' },
      { 'content-type': 'application/json;'.repeat(50) },
      { 'content-type': 'multipart/form-data; boundary=x' },
      { 'content-encoding': 'gzip' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { authorization: 'Basic x' },
      { authorization: `Bearer ${'x'.repeat(6_000)}` },
      { 'x-forwarded-for': '1.2.3.4, é' },
      { host: 'evil.example:99999' },
      { 'if-none-match': '*' },
      { expect: 'x' },
      { accept: ['a', 'b'] },
      { cookie: 'a=b' },
    ]) ?? {}
  );
}

const oddPaths = [
  '/',
  '/graphql/',
  '/graphql?',
  '/graphql?query=%',
  '/graphql?query={__typename}&variables={',
  '/graphql?query=%ff%fe',
  '//evil.example/graphql',
  '/../../etc/passwd',
  '/graphiql/%2e%2e/main.js',
  '/health',
  '/ready',
  `/${'a'.repeat(4_000)}`,
  '*',
];

/** One socket: some frames, right, mutated and out of order. Answers what came until it fell silent. */
export async function attackOverSocket(drawing: Drawing, frames: number): Promise<Came> {
  const { random, values, url } = drawing;
  const protocol = random.pick(['graphql-transport-ws', 'graphql-transport-ws', 'graphql-ws', 'x']);
  const ws = new WebSocket(`${url.replace('http', 'ws')}/graphql`, protocol ?? 'x');
  const what: string[] = [String(protocol)];
  const answers: string[] = [];
  let closeCode: number | undefined;
  const closed = new Promise<void>((resolve) => {
    ws.on('close', (code) => {
      closeCode = code;
      resolve();
    });
  });
  ws.on('error', () => undefined);
  ws.on('message', (data: Buffer) => answers.push(data.toString('utf8')));
  await Promise.race([new Promise((resolve) => ws.once('open', resolve)), closed]);
  const send = (frame: string | Buffer): void => {
    what.push(frame.toString('utf8').slice(0, 1_500));
    if (ws.readyState === WebSocket.OPEN) ws.send(frame);
  };
  if (random.chance(0.9)) {
    const accessToken = drawToken(random, values);
    send(JSON.stringify({ type: 'connection_init', payload: { accessToken } }));
    await Promise.race([new Promise((resolve) => ws.once('message', resolve)), closed]);
  }
  for (let count = 0; count < frames && ws.readyState === WebSocket.OPEN; count += 1) {
    send(drawFrame(drawing));
    if (random.chance(0.3)) await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await Promise.race([new Promise((resolve) => setTimeout(resolve, streamMs)), closed]);
  if (random.chance(0.5)) ws.terminate();
  else ws.close();
  const cut = setTimeout(() => ws.terminate(), 1_000);
  await closed;
  clearTimeout(cut);
  const end = closeCode === undefined ? {} : { closeCode };
  return { what: what.join('\n'), status: null, answers, ...end };
}

function drawFrame({ random, values, documents }: Drawing): string | Buffer {
  const { query, variables } = documents.draw();
  const payload: unknown = random.chance(0.9)
    ? { query: random.chance(0.2) ? documents.mutated(query) : query, variables }
    : values.anything();
  const id = random.chance(0.95) ? String(random.between(0, 9)) : values.anything();
  const type = random.pick(['subscribe', 'subscribe', 'subscribe', 'complete', 'ping', 'pong']);
  const frame = JSON.stringify({ id, type, payload });
  switch (random.between(0, 60)) {
    case 0:
      return frame.slice(0, random.between(0, frame.length));
    case 1:
      return mutatedBytes(random, Buffer.from(frame));
    case 2:
      return JSON.stringify(values.anything() ?? null);
    case 3:
      return JSON.stringify({
        type: random.pick(['next', 'error', 'connection_ack', '__proto__']),
        id,
      });
    case 4:
      return JSON.stringify({ type: 'connection_init', payload: values.anything() });
    case 5:
      return random.chance(0.2) ? 'x'.repeat(70_000) : '';
    default:
      return frame;
  }
}
