import { z } from 'zod';
import { areFailpoints } from './lib/failpoint.ts';
import { slotCount } from './lib/id.ts';
import { logLevels, type LogLevel } from './lib/log.ts';
import { parsePartition } from './lib/partition.ts';
import { databaseOf, isDatabaseUrl, isOrigin, isPublicUrl } from './lib/urls.ts';

/** What an operator may set, as the server uses it: complete, checked, frozen. */
export interface Config {
  readonly http: {
    /** 0 takes any free port. */
    readonly port: number;
    readonly host: string;
    /** Without a slash at its end; undefined: what `baseUrl` derives. */
    readonly publicUrl: string | undefined;
    /** Origins whose pages may call, beside the server's own. */
    readonly allowedOrigins: readonly string[];
  };
  readonly storage: {
    readonly dataDir: string;
    /** One MySQL database per shard; none: SQLite in the data folder, as the one shard. */
    readonly databaseUrls: readonly string[];
    /** Every slot once; undefined: equal ranges in the shards' order. */
    readonly slotMap: readonly SlotRange[] | undefined;
  };
  readonly tokens: {
    readonly accessTtlSeconds: number;
    readonly refreshGraceSeconds: number;
    /** A JWK set in place of the one in the data folder. */
    readonly keysFile: string | undefined;
  };
  readonly messages: { readonly recallWindowSeconds: number; readonly editWindowSeconds: number };
  readonly groups: {
    /** A group with more members is large. */
    readonly largeAboveMembers: number;
    /** A group with more members tells reads to the reader's own devices alone. */
    readonly receiptsUpToMembers: number;
  };
  readonly sessionPolicy: SessionPolicy;
  readonly apps: readonly string[];
  readonly logLevel: LogLevel;
  /** What lib/failpoint.ts reads; empty: none. */
  readonly failpoints: string;
}

/** Slots `first` to `last`, both included, live on the shard of that index. */
export interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly shard: number;
}

export const sessionPolicies = ['same-class', 'single', 'unlimited'] as const;
/** Which of a user's sessions a sign-in displaces: those of its platform class, all, none. */
export type SessionPolicy = (typeof sessionPolicies)[number];

/** What the process exits with where its configuration is wrong (EX_CONFIG of sysexits.h). */
export const configExitCode = 78;

/** All that is wrong with a configuration; `message` lists it for the operator, values left out. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(['The configuration is wrong:', ...mistakes].join('\n  '));
    this.mistakes = mistakes;
  }
}

const whole = (min: number, max: number) =>
  z
    .string()
    .refine(
      (text) => /^\d{1,15}$/.test(text) && Number(text) >= min && Number(text) <= max,
      `must be a whole number from ${min} to ${max}`,
    )
    .transform(Number);

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

const oneOf = <const T extends readonly string[]>(names: T) =>
  z.enum(names, `must be one of ${names.join(', ')}`);

/** Every variable by its name; a description is its line of prose in .env.example. */
export const variables = z.object({
  PORT: whole(0, 65_535)
    .default(4000)
    .describe('The port for HTTP and WebSocket; 0 takes any free one.'),
  HOST: z
    .string()
    .default('127.0.0.1')
    .describe('The address to listen on; 0.0.0.0 is every IPv4 address of the machine.'),
  PUBLIC_URL: z
    .string()
    .refine(isPublicUrl, 'must be a URL like https://chat.example.com')
    .transform((url) => url.replace(/\/+$/, ''))
    .optional()
    .describe('The URL that clients use, where a proxy stands in front; empty: http://HOST:PORT.'),
  ALLOWED_ORIGINS: list
    .refine((origins) => origins.every(isOrigin), 'must be origins like https://chat.example.com')
    .default([])
    .describe("Origins, separated by commas, whose pages may call, beside the server's own."),
  DATA_DIR: z
    .string()
    .default('.fastim')
    .describe('The folder for the keys and, without DATABASE_URLS, for all data.'),
  DATABASE_URLS: list
    .refine((urls) => urls.every(isDatabaseUrl), 'must be URLs like mysql://user:secret@host/name')
    .refine((urls) => isDistinct(urls.map(databaseOf)), 'must not name one database twice')
    .default([])
    .describe('One mysql:// URL per shard, separated by commas; empty: SQLite in DATA_DIR.'),
  SLOT_MAP: z
    .string()
    .optional()
    .describe('Which slots live on which shard, like 0-511=0,512-1023=1; empty: equal ranges.'),
  REDIS_URL: z
    .string()
    .refine(() => false, 'joins several nodes, which this version does not support: leave it empty')
    .optional()
    .describe('The Redis that joins several nodes; not supported yet, so leave it empty.'),
  ACCESS_TOKEN_TTL_SECONDS: whole(5, 86_400)
    .default(900)
    .describe('How long an access token lives.'),
  REFRESH_GRACE_SECONDS: whole(0, 3_600)
    .default(60)
    .describe('How long a spent refresh token still gives its successor again, for lost answers.'),
  ACCESS_TOKEN_KEYS: z
    .string()
    .optional()
    .describe('A file with a JWK set to sign with; empty: one made in DATA_DIR at first start.'),
  SESSION_POLICY: oneOf(sessionPolicies)
    .default('same-class')
    .describe('Whom a sign-in displaces: same-class (phone, web, desktop), single or unlimited.'),
  RECALL_WINDOW_SECONDS: whole(0, 31_536_000)
    .default(120)
    .describe('How long a sender may recall their own message.'),
  EDIT_WINDOW_SECONDS: whole(0, 31_536_000)
    .default(86_400)
    .describe('How long a sender may edit their own message.'),
  LARGE_GROUP_MEMBERS: whole(2, 100_000)
    .default(200)
    .describe('A group with more members is large: its members get ConversationAdvanced.'),
  RECEIPT_GROUP_MEMBERS: whole(0, 100_000)
    .default(50)
    .describe("A group with more members tells reads to the reader's own devices alone."),
  APPS: list
    .refine((apps) => apps.length > 0 && apps.every(isAppId), 'must be ids like default,my-app')
    .refine(isDistinct, 'must not name one app twice')
    .default(['default'])
    .describe('The ids of the apps served, separated by commas; their users never meet.'),
  LOG_LEVEL: oneOf(logLevels)
    .default('info')
    .describe('How much is logged: trace, debug, info, warn, error, fatal or silent.'),
  FAILPOINTS: z
    .string()
    .refine(areFailpoints, 'must be like kill:before-commit@2,bug:ack-before-commit')
    .optional()
    .describe("Where FastIM's own tests make the process die; refused without NODE_ENV=test."),
});

/** A crash or a bug on purpose: nobody shall have one by a variable that was left set. */
const failpoints = z
  .object({ FAILPOINTS: z.string().optional(), NODE_ENV: z.string().optional() })
  .refine(({ FAILPOINTS, NODE_ENV }) => FAILPOINTS === undefined || NODE_ENV === 'test', {
    path: ['FAILPOINTS'],
    message: 'is for tests alone, so it needs NODE_ENV=test',
  });

/** What hangs together is read beside the rest, so that all mistakes show at once. */
const slotMap = variables
  .pick({ DATABASE_URLS: true, SLOT_MAP: true })
  .transform(({ DATABASE_URLS, SLOT_MAP }, context): SlotRange[] | undefined => {
    if (SLOT_MAP === undefined) return undefined;
    const partition = parsePartition(SLOT_MAP, slotCount, Math.max(DATABASE_URLS.length, 1));
    if ('ranges' in partition) {
      return partition.ranges.map(({ first, last, owner }) => ({ first, last, shard: owner }));
    }
    context.addIssue({ code: 'custom', path: ['SLOT_MAP'], message: partition.mistake });
    return z.NEVER;
  });

/**
 * The configuration that an environment says; an empty variable is an absent one, an unknown one
 * is no matter. The only reader of `process.env`.
 * @throws {ConfigError} with all mistakes at once.
 */
export function readConfig(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Config {
  const given = Object.entries(env).flatMap(([name, value]) => {
    const text = value?.trim();
    return text ? [[name, text] as const] : [];
  });
  const parsed = variables.safeParse(Object.fromEntries(given));
  const map = slotMap.safeParse(Object.fromEntries(given));
  const armed = failpoints.safeParse(Object.fromEntries(given));
  if (parsed.success && map.success && armed.success) return frozen(toConfig(parsed.data, map.data));
  const issues = [parsed, map, armed].flatMap(({ error }) => error?.issues ?? []);
  const mistakes = issues.map(({ path, message }) => `${path.join('.')} ${message}`);
  throw new ConfigError([...new Set(mistakes)]);
}

/** Where clients find the server once it listens on `port`; without a slash at its end. */
export function baseUrl(http: Config['http'], port: number): string {
  if (http.publicUrl !== undefined) return http.publicUrl;
  const host = http.host === '0.0.0.0' || http.host === '::' ? 'localhost' : http.host;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function toConfig(
  given: z.infer<typeof variables>,
  slotRanges: readonly SlotRange[] | undefined,
): Config {
  return {
    http: {
      port: given.PORT,
      host: given.HOST,
      publicUrl: given.PUBLIC_URL,
      allowedOrigins: given.ALLOWED_ORIGINS,
    },
    storage: {
      dataDir: given.DATA_DIR,
      databaseUrls: given.DATABASE_URLS,
      slotMap: slotRanges,
    },
    tokens: {
      accessTtlSeconds: given.ACCESS_TOKEN_TTL_SECONDS,
      refreshGraceSeconds: given.REFRESH_GRACE_SECONDS,
      keysFile: given.ACCESS_TOKEN_KEYS,
    },
    messages: {
      recallWindowSeconds: given.RECALL_WINDOW_SECONDS,
      editWindowSeconds: given.EDIT_WINDOW_SECONDS,
    },
    groups: {
      largeAboveMembers: given.LARGE_GROUP_MEMBERS,
      receiptsUpToMembers: given.RECEIPT_GROUP_MEMBERS,
    },
    sessionPolicy: given.SESSION_POLICY,
    apps: given.APPS,
    logLevel: given.LOG_LEVEL,
    failpoints: given.FAILPOINTS ?? '',
  };
}

function isAppId(text: string): boolean {
  return /^[\w.-]{1,64}$/.test(text);
}

function isDistinct(items: readonly string[]): boolean {
  return new Set(items).size === items.length;
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(frozen);
  return Object.freeze(value);
}
