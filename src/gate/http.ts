import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServerKeys } from '../domain/app/app.ts';
import type { Sessions } from '../domain/session/session.ts';
import { faultCodes, type FaultCode } from '../lib/fault.ts';
import { addressOf } from './address.ts';
import { safeHeaders, transportHeaders } from './headers.ts';
import type { Caller } from './operation.ts';
import { isAllowedOrigin } from './origin.ts';
import { createPostHandler } from './post.ts';
import { createYogaHandler, type YogaDeps } from './yoga.ts';
import type { GraphiqlPage } from './graphiql-page.ts';

export interface HttpDeps extends YogaDeps {
  readonly sessions: Pick<Sessions, 'verify' | 'touch'>;
  readonly serverKeys: Pick<ServerKeys, 'verify'>;
  /** Null: there is none to look at. */
  readonly page: Pick<GraphiqlPage, 'respond'> | null;
  /** Whether the node may be given traffic; 503 where it is not ready. */
  readonly readiness: () => Promise<{ readonly status: string }>;
  readonly allowedOrigins: ReadonlySet<string>;
  readonly publicUrl: string | undefined;
  readonly trustedProxies: number;
}

type Road = (request: IncomingMessage, response: ServerResponse, caller: Caller) => Promise<void>;

/** Both do the same; the short one does only what nearly all ask for, and costs less. */
interface Roads {
  readonly short: Road;
  readonly long: Road;
}

/**
 * Everything that a node answers over HTTP: `/graphql` (POST application/json; GET for queries; the GraphiQL page for
 * browsers; event streams), `/health` (alive), `/ready` (may be given traffic), and 404.
 */
export function createHttpHandler(
  deps: HttpDeps,
): (request: IncomingMessage, response: ServerResponse) => void {
  const roads = { short: createPostHandler(deps), long: createYogaHandler(deps) };
  const always = Object.entries({ ...safeHeaders, ...transportHeaders(deps.publicUrl) });
  let isWarned = deps.trustedProxies > 0;
  return (request, response) => {
    if (!isWarned && request.headers['x-forwarded-for'] !== undefined) {
      isWarned = true;
      deps.log.warn('http.forwardedNotBelieved: set TRUST_PROXY where a proxy stands in front');
    }
    for (const [name, value] of always) response.setHeader(name, value);
    route(deps, roads, request, response).catch((error: unknown) => {
      deps.log.error({ err: error }, 'http.failed');
      if (response.headersSent) response.destroy();
      else sendError(response, 500, 'INTERNAL', 'Something went wrong.');
    });
  };
}

async function route(
  deps: HttpDeps,
  roads: Roads,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = '/', search = ''] = (request.url ?? '/').split('?', 2);
  if (deps.gate.isDraining) response.setHeader('connection', 'close');
  const isGraphql = path === '/graphql';
  // Node would answer this itself, without our headers.
  if (request.httpVersion === '1.1' && request.headers.host === undefined) {
    sendError(response, ...noHost);
  } else if (path === '/health') {
    sendStatus(response, 200, { status: 'alive' });
  } else if (path === '/ready') {
    const readiness = await deps.readiness();
    sendStatus(response, readiness.status === 'not ready' ? 503 : 200, readiness);
  } else if (isGraphql && !(search === '' && wantsPage(request))) {
    await graphql(deps, roads, request, response);
  } else if (!sendPage(deps.page, path, request, response)) {
    if (isGraphql) await graphql(deps, roads, request, response);
    else sendError(response, 404, 'NOT_FOUND', 'There is nothing here.');
  }
}

async function graphql(
  deps: HttpDeps,
  roads: Roads,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  allowOrigin(deps.allowedOrigins, request, response);
  response.setHeader('cache-control', 'no-store');
  const refusal = refuse(request, deps.limits.httpBodyBytesMax);
  if (request.method === 'OPTIONS') {
    response.writeHead(204).end();
  } else if (refusal) {
    sendError(response, ...refusal);
  } else {
    const { viewer, authFailure, authority } = await callerOf(deps, request);
    if (viewer) deps.sessions.touch(viewer);
    const address = addressOf(request, deps.trustedProxies);
    const road = isForShortRoad(request) ? roads.short : roads.long;
    await road(request, response, { viewer, authFailure, authority, address });
  }
}

const noHost = [400, 'INVALID_ARGUMENT', 'The Host header names no host.'] as const;

/** A page of another origin cannot send JSON without asking first, and a GET changes nothing: no forged requests. */
function refuse(
  { method, headers }: IncomingMessage,
  bodyBytesMax: number,
): readonly [status: number, code: FaultCode, message: string] | null {
  // Yoga makes a URL of it, and fails where it cannot.
  if (!URL.canParse(`http://${headers.host ?? 'localhost'}`)) return noHost;
  if (method === 'GET') return null;
  if (method !== 'POST') return [405, 'INVALID_ARGUMENT', 'Use POST, or GET for a query.'];
  if (!/^application\/json *(;|$)/i.test(headers['content-type'] ?? '')) {
    return [415, 'INVALID_ARGUMENT', 'POST must be application/json.'];
  }
  if (Number(headers['content-length'] ?? 0) > bodyBytesMax) {
    return [413, 'PAYLOAD_TOO_LARGE', `A request has at most ${bodyBytesMax} bytes.`];
  }
  return null;
}

/** A bad token makes the request anonymous. */
async function callerOf(
  { serverKeys, sessions }: Pick<HttpDeps, 'serverKeys' | 'sessions'>,
  { headers: { authorization } }: IncomingMessage,
): Promise<Omit<Caller, 'address'>> {
  const nobody = { viewer: null, authFailure: null, authority: null };
  if (authorization === undefined) return nobody;
  const token = /^bearer +(\S+) *$/i.exec(authorization)?.[1];
  if (token === undefined) return { ...nobody, authFailure: 'FORGED' };
  const authority = serverKeys.verify(token);
  if (authority) return { ...nobody, authority };
  const verdict = await sessions.verify(token);
  return verdict.ok
    ? { ...nobody, viewer: verdict.viewer }
    : { ...nobody, authFailure: verdict.why };
}

function isForShortRoad({ method, headers }: IncomingMessage): boolean {
  return method === 'POST' && !(headers.accept ?? '').includes('text/event-stream');
}

function wantsPage({ method, headers }: IncomingMessage): boolean {
  return (method === 'GET' || method === 'HEAD') && /\btext\/html\b/.test(headers.accept ?? '');
}

function sendPage(
  page: HttpDeps['page'],
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const answer = page?.respond({
    method: request.method ?? 'GET',
    path,
    ifNoneMatch: request.headers['if-none-match'],
  });
  if (!answer) return false;
  response.writeHead(answer.status, answer.headers).end(answer.body ?? undefined);
  return true;
}

/** Without cookies: an origin that may call shows its token itself. */
function allowOrigin(
  allowedOrigins: ReadonlySet<string>,
  { headers }: IncomingMessage,
  response: ServerResponse,
): void {
  response.setHeader('vary', 'Origin, Accept');
  if (headers.origin === undefined) return;
  if (!isAllowedOrigin(headers.origin, headers.host, allowedOrigins)) return;
  response.setHeader('access-control-allow-origin', headers.origin);
  response.setHeader('access-control-allow-methods', 'GET, POST');
  response.setHeader('access-control-allow-headers', 'authorization, content-type');
  response.setHeader('access-control-max-age', '86400');
}

function sendStatus(response: ServerResponse, status: number, body: object): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(JSON.stringify(body));
}

function sendError(
  response: ServerResponse,
  status: number,
  code: FaultCode,
  message: string,
): void {
  const extensions = { code, retryable: faultCodes[code].retryable };
  // What is left of the body is not read.
  response
    .writeHead(status, { 'content-type': 'application/json', connection: 'close' })
    .end(JSON.stringify({ errors: [{ message, extensions }] }));
}
