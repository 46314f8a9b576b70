import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GraphiqlPage } from '../../src/gate/graphiql-page.ts';

describe('GraphiqlPage', () => {
  let folder: string;
  let page: GraphiqlPage;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fastim-graphiql-'));
    const root = join(folder, 'root');
    await mkdir(join(root, 'inner'), { recursive: true });
    await writeFile(join(folder, 'secret.js'), 'secret');
    await writeFile(join(root, 'inner', 'deep.js'), 'deep');
    await writeFile(join(root, 'notes.txt'), 'notes');
    await writeFile(join(root, 'index.html'), '<title>FastIM</title>');
    await writeFile(join(root, 'app-1.js'), 'run()');
    await writeFile(join(root, 'app-1.css'), 'p{}');
    page = new GraphiqlPage({ root });
    await page.start();
  });
  afterEach(async () => {
    await page.stop();
    await rm(folder, { recursive: true });
  });

  const get = (path: string, ifNoneMatch?: string) =>
    page.respond({ method: 'GET', path, ifNoneMatch });

  it('serves the page at /graphql, never cached without asking', () => {
    const answer = get('/graphql')!;
    expect(answer.status).toBe(200);
    expect(Buffer.from(answer.body!).toString()).toBe('<title>FastIM</title>');
    expect(answer.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-length': '21',
      'cache-control': 'no-cache',
      vary: 'accept',
      'x-content-type-options': 'nosniff',
    });
  });

  it('serves its assets under /graphiql/, cached for good', () => {
    const script = get('/graphiql/app-1.js')!;
    expect(Buffer.from(script.body!).toString()).toBe('run()');
    expect(script.headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect(script.headers['cache-control']).toContain('immutable');
    expect(get('/graphiql/app-1.css')!.headers['content-type']).toBe('text/css; charset=utf-8');
  });

  it('allows scripts and connections of its own host alone', () => {
    const policy = get('/graphql')!.headers['content-security-policy']!.split('; ');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy.join()).not.toMatch(/https?:|\*|unsafe-eval/);
  });

  it.each([
    '/graphiql/../secret.js',
    '/graphiql/..%2Fsecret.js',
    '/graphiql/%2e%2e/secret.js',
    '/graphiql/..\\secret.js',
    '/graphiql//app-1.js',
    '/graphiql/inner/deep.js',
    '/graphiql/inner',
    '/graphiql/notes.txt',
    '/graphiql/index.html',
    '/graphiql/',
    '/graphiql/__proto__',
    '/app-1.js',
    '/',
    '',
  ])('knows nothing of %s', (path) => {
    expect(get(path)).toBeNull();
  });

  it('answers 304 to whoever has the file', () => {
    const { etag } = get('/graphql')!.headers;
    expect(etag).toMatch(/^"[\w-]{22}"$/);
    for (const held of [etag!, `W/${etag!}`, `"other", ${etag!}`, '*']) {
      const answer = get('/graphql', held)!;
      expect(answer).toMatchObject({ status: 304, body: null });
      expect(answer.headers['etag']).toBe(etag);
    }
    expect(get('/graphql', '"other"')!.status).toBe(200);
    expect(get('/graphiql/app-1.js')!.headers['etag']).not.toBe(etag);
  });

  it('answers HEAD without a body, and refuses what writes', () => {
    const head = page.respond({ method: 'HEAD', path: '/graphiql/app-1.js' })!;
    expect(head).toMatchObject({ status: 200, body: null });
    expect(head.headers['content-length']).toBe('5');
    expect(page.respond({ method: 'POST', path: '/graphiql/app-1.js' })!.status).toBe(405);
  });

  it('serves nothing where the page was not built', async () => {
    const missing = new GraphiqlPage({ root: join(folder, 'missing') });
    await missing.start();
    expect(missing.isBuilt).toBe(false);
    expect(page.isBuilt).toBe(true);
    expect(missing.respond({ method: 'GET', path: '/graphql' })).toBeNull();
  });
});
