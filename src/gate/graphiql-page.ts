import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** An HTTP answer, for whoever serves HTTP. */
export interface PageResponse {
  readonly status: 200 | 304 | 405;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer> | null;
}

/** What of a request decides the answer; header names in lower case. */
export interface PageRequest {
  readonly method: string;
  /** Without query. */
  readonly path: string;
  readonly ifNoneMatch?: string | null | undefined;
}

const assetPrefix = '/graphiql/';
const pagePath = '/graphql';

const mediaTypes: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
};

/**
 * Nothing but the page's own host, for anything. Dialogs and menus set styles from script, as text
 * (hence the exception), and the style sheet holds a few small pictures.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

interface Asset {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
}

/**
 * The built GraphiQL page: `index.html` at `/graphql`, for a browser that asks for HTML, and its
 * assets at `/graphiql/<file>`. Exactly the files that lay in `root` at start, held in memory: a
 * path is looked up, never opened.
 */
export class GraphiqlPage {
  #assets: ReadonlyMap<string, Asset> = new Map();
  readonly #deps: { root: string };

  /** @param deps.root the folder that `npm run build:graphiql` fills. */
  constructor(deps: { root: string }) {
    this.#deps = deps;
  }

  /** Reads the files. Where there is no such folder (the page was not built) nothing is served. */
  async start(): Promise<void> {
    const assets = new Map<string, Asset>();
    for (const name of await filesIn(this.#deps.root)) {
      const type = mediaTypes[name.slice(name.lastIndexOf('.') + 1)];
      if (type === undefined) continue;
      const isPage = name === 'index.html';
      const body = new Uint8Array(await readFile(join(this.#deps.root, name)));
      assets.set(isPage ? pagePath : assetPrefix + name, { headers: headersOf(body, type), body });
    }
    this.#assets = assets;
  }

  /** Forgets the files. */
  async stop(): Promise<void> {
    this.#assets = new Map();
  }

  /** Whether there is a page to serve. */
  get isBuilt(): boolean {
    return this.#assets.has(pagePath);
  }

  /** Null where the path is none of the page's: the caller goes on. */
  respond({ method, path, ifNoneMatch }: PageRequest): PageResponse | null {
    const asset = this.#assets.get(path);
    if (!asset) return null;
    const { headers, body } = asset;
    if (method !== 'GET' && method !== 'HEAD') {
      return { status: 405, headers: { allow: 'GET, HEAD' }, body: null };
    }
    if (matches(ifNoneMatch, headers['etag'])) return { status: 304, headers, body: null };
    return {
      status: 200,
      headers: { ...headers, 'content-length': String(body.byteLength) },
      body: method === 'HEAD' ? null : body,
    };
  }
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

function headersOf(body: Uint8Array, type: string): Record<string, string> {
  const digest = createHash('sha256').update(body).digest('base64url').slice(0, 22);
  const isPage = type === mediaTypes['html'];
  return {
    'content-type': type,
    etag: `"${digest}"`,
    // An asset's name holds the hash of its content; the page's address also answers GraphQL.
    'cache-control': isPage ? 'no-cache' : 'public, max-age=31536000, immutable',
    ...(isPage ? { vary: 'accept' } : {}),
    'content-security-policy': contentSecurityPolicy,
    'cross-origin-opener-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  };
}

function matches(ifNoneMatch: string | null | undefined, etag: string | undefined): boolean {
  if (!ifNoneMatch || etag === undefined) return false;
  const tags = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(etag);
}
