import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readConfig, variables } from '../../src/config.ts';
import { limits } from '../../src/limits.ts';
import { mariadbOptions } from '../../src/storage/mariadb-options.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
// What the operator's own environment may say otherwise is as it is by default.
const compose = read('compose.yaml').replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');
const dockerfile = read('Dockerfile');
const [shared = '', services = '', volumes = ''] = compose.split(/^(?:services|volumes):$/m);
const nodeNames = [...services.matchAll(/^ {2}(node-\d+):$/gm)].map(([, name = '']) => name);

/** The lines that belong to a service, or to what several share. */
function under(key: string): string {
  const lines = (key.startsWith('x-') ? shared : services).split('\n');
  const at = lines.findIndex((line) => line.trimStart().startsWith(`${key}:`));
  expect(at, key).toBeGreaterThanOrEqual(0);
  const indent = /^ */.exec(lines[at] ?? '')?.[0].length ?? 0;
  const rest = lines.slice(at + 1);
  const end = rest.findIndex((line) => line !== '' && !line.startsWith(' '.repeat(indent + 1)));
  return rest.slice(0, end === -1 ? rest.length : end).join('\n');
}

/** What a node reads in its container: what the image says, what all share, what is its own. */
function environmentOf(node: string): Record<string, string> {
  const image = [...dockerfile.matchAll(/^ENV (.*)$/gm)].flatMap(([, pairs = '']) =>
    pairs.split(' ').map((pair) => pair.split('=') as [string, string]),
  );
  const common = [...under('x-environment').matchAll(/^ {2}([A-Z_]+): (.*)$/gm)];
  const own = [...under(node).matchAll(/([A-Z_]+): '?([^',} ]+)/g)];
  const said = [...common, ...own].map(([, name = '', value = '']) => [name, value] as const);
  return Object.fromEntries([...image, ...said]);
}

describe('compose.yaml', () => {
  test.each(nodeNames)('%s reads nothing but what the server knows, and that is right', (node) => {
    const { NODE_ENV, ...environment } = environmentOf(node);
    expect(NODE_ENV).toBe('production');
    for (const name of Object.keys(environment)) expect(variables.shape).toHaveProperty(name);
    const config = readConfig(environment);
    expect(config.cluster?.nodeId).toBe(node);
    expect(config.http.host).toBe('0.0.0.0');
    for (const url of config.storage.databaseUrls) {
      const { host = '', ...options } = mariadbOptions(url);
      expect(under(host)).toContain('<<: *shard');
      // MySQL 8 lets nobody in by password without TLS whom it may not give its key.
      expect(options).toMatchObject({ database: 'fastim', allowPublicKeyRetrieval: true });
      expect(compose).toContain('image: mysql:8\n');
      expect(under('x-shard')).toContain(`MYSQL_DATABASE: ${options.database}`);
    }
    expect(config.cluster?.redisUrls).toEqual(['redis://redis:6379']);
    expect(under('redis')).toContain('image: redis:7\n');
    // Where clients find it is a port of the host that leads to the one it listens on.
    const [, published] = /ports: \['(\d+):4000'\]/.exec(under(node)) ?? [];
    expect(config.http.publicUrl).toBe(`http://localhost:${published}`);
    expect([config.http.port, dockerfile]).toEqual([4000, expect.stringContaining('EXPOSE 4000')]);
  });

  test('has as many nodes as the cluster for a look, all with the same keys and each with a folder', () => {
    expect(nodeNames).toEqual(['node-1', 'node-2', 'node-3']);
    const { ACCESS_TOKEN_KEYS: keys = '', DATA_DIR: data = '' } = environmentOf('node-1');
    const [, made] = /command: node (tools\/\S+) (\S+)/.exec(under('keys')) ?? [];
    expect(made && existsSync(path.join(root, made))).toBe(true);
    expect(under('keys')).toContain(keys);
    for (const node of nodeNames) {
      expect(under(node)).toContain(
        `volumes: ['keys:${path.dirname(keys)}:ro', '${node}:${data}']`,
      );
    }
    // Volumes are owned as the image has them, and the server is not root.
    expect(dockerfile).toContain(`RUN mkdir ${data} ${path.dirname(keys)} && chown node:node`);
    expect(dockerfile).toContain('USER node');
    const used = [...services.matchAll(/(?:\[|, )'([\w-]+):\//g)].map(([, name]) => name);
    const known = [...volumes.matchAll(/^ {2}([\w-]+):$/gm)].map(([, name]) => name);
    expect(new Set(used)).toEqual(new Set(known));
  });

  test('gives a node the time to drain, and starts it when what it needs is there', () => {
    const [, seconds] = /stop_grace_period: (\d+)s/.exec(under('x-node')) ?? [];
    expect(Number(seconds) * 1_000).toBeGreaterThan(limits.drainMs + 5_000);
    for (const [, service = ''] of under('x-node').matchAll(/^ {4}([\w-]+): \{ condition/gm)) {
      expect(compose).toContain(`\n  ${service}:\n`);
    }
    expect(under('x-node')).toContain('/ready');
  });
});

describe('Dockerfile', () => {
  test('copies what is there, builds by a script that exists, and starts as npm does', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    for (const [, name = ''] of dockerfile.matchAll(/npm run ([\w:]+)/g)) {
      expect(scripts).toHaveProperty(name);
    }
    const ignored = read('.dockerignore').split('\n');
    for (const [, from = ''] of dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)) {
      for (const file of from.split(' ')) {
        expect(existsSync(path.join(root, file)), file).toBe(true);
        expect(ignored).not.toContain(file);
      }
    }
    const [, command = ''] = /^CMD (.*)$/m.exec(dockerfile) ?? [];
    expect((JSON.parse(command) as string[]).join(' ')).toBe(scripts['start']);
    const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
    expect(engines.node).toBe('>=20.19');
    for (const [, major] of dockerfile.matchAll(/^FROM node:(\d+)/gm)) {
      expect(Number(major)).toBeGreaterThanOrEqual(20);
    }
  });
});
