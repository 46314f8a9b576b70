import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { baseUrl, ConfigError, configExitCode, readConfig, variables } from '../../src/config.ts';

function mistakesOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
  return [];
}

/** .env.example as blocks of one line of prose and one of assignment. */
function readExample(): { name: string; value: string; prose: string }[] {
  const text = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
  const blocks = text.trim().split('\n\n').slice(1);
  return blocks.map((block) => {
    const match = /^# (.+)\n([A-Z_]+)=(.*)$/.exec(block);
    if (!match) throw new Error(`not one line of prose and one variable: ${block}`);
    return { prose: match[1]!, name: match[2]!, value: match[3]! };
  });
}

it('gives every default where nothing is set', () => {
  expect(readConfig({})).toEqual({
    http: {
      port: 4000,
      host: '127.0.0.1',
      publicUrl: undefined,
      allowedOrigins: [],
      trustedProxies: 0,
    },
    isProduction: false,
    budgets: {
      registrationsPerHour: 1_000,
      loginsPerHour: 10_000,
      sendsPerMinute: 30_000,
      operationsPerSecond: 1_000,
      costPerMinute: 12_000_000,
      connectionsPerAddress: 5_000,
    },
    storage: { dataDir: '.fastim', databaseUrls: [], slotMap: undefined },
    cluster: null,
    gate: { apps: ['default'], track: 'stable', weight: 1, shedPercentPerMinute: 20 },
    tokens: { accessTtlSeconds: 900, refreshGraceSeconds: 60, keysFile: undefined },
    messages: { recallWindowSeconds: 120, editWindowSeconds: 86_400 },
    groups: { largeAboveMembers: 200, receiptsUpToMembers: 50 },
    redPackets: { shareMax: 20_000, countMax: 100, ttlSeconds: 86_400, apps: [] },
    sessionPolicy: 'same-class',
    apps: ['default'],
    serverKeys: [],
    logLevel: 'info',
    failpoints: '',
  });
});

it('takes an empty variable as an absent one, and minds no unknown one', () => {
  expect(readConfig({ PORT: '', DATABASE_URLS: ' ', FASTIM_X: '1' })).toEqual(readConfig({}));
});

it('reads what is set', () => {
  const config = readConfig({
    PORT: ' 0 ',
    PUBLIC_URL: 'https://chat.example.com/',
    ALLOWED_ORIGINS: 'https://a.example, http://localhost:3000',
    DATABASE_URLS: 'mysql://u:p@one/db,mysql://u:p@two/db',
    SLOT_MAP: '0-9=1,10-1023=0',
    SESSION_POLICY: 'single',
    APPS: 'default,shop',
    RED_PACKET_APPS: 'shop:500/20/3600',
  });
  expect(config.redPackets.apps).toEqual([
    { appId: 'shop', shareMax: 500, countMax: 20, ttlSeconds: 3_600 },
  ]);
  expect(config.http).toEqual({
    port: 0,
    host: '127.0.0.1',
    publicUrl: 'https://chat.example.com',
    allowedOrigins: ['https://a.example', 'http://localhost:3000'],
    trustedProxies: 0,
  });
  expect(config.storage.databaseUrls).toEqual(['mysql://u:p@one/db', 'mysql://u:p@two/db']);
  expect(config.storage.slotMap).toEqual([
    { first: 0, last: 9, shard: 1 },
    { first: 10, last: 1023, shard: 0 },
  ]);
  expect(config.sessionPolicy).toBe('single');
  expect(config.apps).toEqual(['default', 'shop']);
});

it('is frozen to its depth', () => {
  const config = readConfig({});
  for (const part of [config, config.http, config.http.allowedOrigins, config.apps]) {
    expect(Object.isFrozen(part)).toBe(true);
  }
});

it('says all mistakes at once, and no secret with them', () => {
  const env = {
    PORT: '4000x',
    LOG_LEVEL: 'loud',
    DATABASE_URLS: 'mysql://root:hunter2@/,x',
    SLOT_MAP: '0-511=0',
    REDIS_URLS: 'http://:hunter2@localhost',
  };
  const mistakes = mistakesOf(env);
  expect(mistakes.map((line) => line.split(' ')[0])).toEqual(
    expect.arrayContaining(['PORT', 'LOG_LEVEL', 'DATABASE_URLS', 'REDIS_URLS']),
  );
  expect(() => readConfig(env)).toThrow(/^The configuration is wrong:\n {2}PORT must be/);
  expect(mistakes.join()).not.toContain('hunter2');
});

it.each([
  ['PORT', '65536'],
  ['PORT', '-1'],
  ['PORT', '1e3'],
  ['PORT', '4000.5'],
  ['PUBLIC_URL', 'chat.example.com'],
  ['PUBLIC_URL', 'ftp://chat.example.com'],
  ['ALLOWED_ORIGINS', 'https://a.example/path'],
  ['ALLOWED_ORIGINS', '*'],
  ['DATABASE_URLS', 'postgres://host/db'],
  ['DATABASE_URLS', 'mysql://host'],
  ['DATABASE_URLS', 'mysql://a@host/db,mysql://b@host:3306/db'],
  ['SLOT_MAP', '0-1023=1'],
  ['SLOT_MAP', '0-1024=0'],
  ['SLOT_MAP', '0-600=0,500-1023=0'],
  ['NODE_ID', 'node 1'],
  ['ACCESS_TOKEN_TTL_SECONDS', '0'],
  ['REFRESH_GRACE_SECONDS', 'soon'],
  ['LARGE_GROUP_MEMBERS', '1'],
  ['SESSION_POLICY', 'SINGLE'],
  ['APPS', 'a,a'],
  ['APPS', ','],
  ['APPS', 'my app'],
  ['LOG_LEVEL', 'verbose'],
  ['FAILPOINTS', 'kill:before-commit'],
  ['CLOCK_FILE', '/tmp/clock'],
])('refuses %s=%s, and says which', (name, value) => {
  const mistakes = mistakesOf({ [name]: value });
  expect(mistakes).toHaveLength(1);
  expect(mistakes[0]).toMatch(new RegExp(`^${name} [a-z]`));
});

it('joins nodes that share databases and keys, and no others', () => {
  const env = {
    REDIS_URLS: 'redis://:secret@one:6379/1,rediss://two',
    DATABASE_URLS: 'mysql://u:p@one/db',
    ACCESS_TOKEN_KEYS: '/etc/keys.json',
    NODE_ID: 'node-1',
  };
  expect(readConfig(env).cluster).toEqual({
    redisUrls: ['redis://:secret@one:6379/1', 'rediss://two'],
    nodeId: 'node-1',
  });
  expect(mistakesOf({ ...env, REDIS_URLS: 'redis://one,redis://one' })).toHaveLength(1);
  expect(mistakesOf({ ...env, REDIS_URLS: 'one:6379' })).toHaveLength(1);
  expect(mistakesOf({ REDIS_URLS: 'redis://one' }).map((line) => line.split(' ')[0])).toEqual([
    'DATABASE_URLS',
    'ACCESS_TOKEN_KEYS',
  ]);
});

it('takes failpoints under test alone, and only what can be read', () => {
  const readable = { FAILPOINTS: 'kill:before-commit@2,bug:ack-before-commit' };
  expect(readConfig({ ...readable, NODE_ENV: 'test' }).failpoints).toBe(readable.FAILPOINTS);
  expect(mistakesOf({ ...readable, NODE_ENV: 'production' })).toHaveLength(1);
  expect(mistakesOf({ FAILPOINTS: 'die', NODE_ENV: 'test' })).toHaveLength(1);
});

it('derives the URL that clients use', () => {
  const { http } = readConfig({});
  expect(baseUrl(http, 4000)).toBe('http://127.0.0.1:4000');
  expect(baseUrl({ ...http, host: '::1' }, 1)).toBe('http://[::1]:1');
  expect(baseUrl({ ...http, host: '0.0.0.0' }, 1)).toBe('http://localhost:1');
  expect(baseUrl(readConfig({ PUBLIC_URL: 'https://x.example/chat/' }).http, 1)).toBe(
    'https://x.example/chat',
  );
});

it('exits as one does whose configuration is wrong', () => {
  expect(configExitCode).toBe(78);
});

it('a gate is for all apps or for some of them, and for no other', () => {
  expect(readConfig({ APPS: 'default,shop' }).gate.apps).toEqual(['default', 'shop']);
  expect(readConfig({ APPS: 'default,shop', GATE_APPS: 'shop' }).gate.apps).toEqual(['shop']);
  expect(mistakesOf({ GATE_APPS: 'shop' })).toEqual(['GATE_APPS must be of apps that APPS names']);
  expect(mistakesOf({ GATE_TRACK: 'a b', GATE_WEIGHT: '0' })).toHaveLength(2);
});

it('.env.example lists every variable with its prose, in order, and no other', () => {
  const wanted = Object.entries(variables.shape).map(([name, type]) => ({
    name,
    prose: type.description,
  }));
  expect(readExample().map(({ name, prose }) => ({ name, prose }))).toEqual(wanted);
});

it('.env.example copied to .env changes nothing', () => {
  const values = Object.fromEntries(readExample().map(({ name, value }) => [name, value]));
  expect(readConfig(values)).toEqual(readConfig({}));
  for (const [name, type] of Object.entries(variables.shape)) {
    const fallback: string | number | string[] | undefined = type.safeParse(undefined).data;
    const shown = Array.isArray(fallback) ? fallback.join(',') : String(fallback ?? '');
    expect([name, values[name]]).toEqual([name, shown]);
  }
});

it('reads the server keys of apps, and knows a misspelt app', () => {
  const key = 'k'.repeat(32);
  const { serverKeys } = readConfig({ APPS: 'default,shop', SERVER_KEYS: `shop:${key}` });
  expect(serverKeys).toEqual([{ appId: 'shop', secret: key }]);
  expect(mistakesOf({ SERVER_KEYS: `shop:${key}` })).toEqual([
    'SERVER_KEYS must be of apps that APPS names',
  ]);
  const wrong = mistakesOf({ SERVER_KEYS: 'default:short' });
  expect(wrong.join()).toMatch(/SERVER_KEYS must be like/);
  expect(wrong.join()).not.toContain('short');
});
