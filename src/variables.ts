import { z } from 'zod';
import { areFailpoints } from './lib/failpoint.ts';
import { logLevels } from './lib/log.ts';
import { redisAddressOf, redisOf, splitAddresses } from './lib/redis-address.ts';
import { databaseOf, isDatabaseUrl, isOrigin, isPublicUrl } from './lib/urls.ts';

export const sessionPolicies = ['same-class', 'single', 'unlimited'] as const;
/** Which of a user's sessions a sign-in displaces: those of its platform class, all, none. */
export type SessionPolicy = (typeof sessionPolicies)[number];

const whole = (min: number, max: number) =>
  z
    .string()
    .refine(
      (text) => /^\d{1,15}$/.test(text) && Number(text) >= min && Number(text) <= max,
      `must be a whole number from ${min} to ${max}`,
    )
    .transform(Number);

/** A budget, which 0 turns off. */
const most = (byDefault: number) => whole(0, 1_000_000_000).default(byDefault);

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

const oneOf = <const T extends readonly string[]>(names: T) =>
  z.enum(names, `must be one of ${names.join(', ')}`);

/** Beyond these nobody may set the rules of red packets. */
const redPacketMost = { shareMax: 1_000_000_000, countMax: 1_000, ttlSeconds: 31_536_000 };

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
  TRUST_PROXY: whole(0, 16)
    .default(0)
    .describe(
      'How many proxies stand in front and append to X-Forwarded-For; 0: nobody is believed.',
    ),
  PRODUCTION: whole(0, 1)
    .default(0)
    .describe('1: no GraphiQL, no introspection, and errors that tell nothing of the schema.'),
  REGISTRATIONS_PER_HOUR: most(1_000).describe(
    'New users of an app from one address in an hour; 0 is no limit, here and for the next five.',
  ),
  LOGINS_PER_HOUR: most(10_000).describe(
    'Logins to an app from one address in an hour, good or bad.',
  ),
  SENDS_PER_MINUTE: most(30_000).describe('Messages that one user sends in a minute.'),
  OPERATIONS_PER_SECOND: most(1_000).describe(
    'Operations of one session in a second; without a session, of one address.',
  ),
  COST_PER_MINUTE: most(12_000_000).describe(
    'What these may cost in a minute: fields, times the sizes of their pages.',
  ),
  CONNECTIONS_PER_ADDRESS: most(5_000).describe(
    'Sockets and event streams from one address at a time.',
  ),
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
  REDIS_URLS: z
    .string()
    .transform(splitAddresses)
    .refine(
      (urls) => urls.every((url) => redisAddressOf(url) !== null),
      'must be like redis://:secret@host:6379 or sentinel://:secret@host:26379,host:26379/name',
    )
    .refine((urls) => isDistinct(urls.map(redisOf)), 'must not name one Redis twice')
    .default([])
    .describe('The Redis that joins several nodes, or several by users; empty: one node alone.'),
  NODE_ID: z
    .string()
    .refine((text) => /^[\w.-]{1,64}$/.test(text), 'must be a name like node-1')
    .optional()
    .describe('What this node is called, unlike any other; empty: a name made at each start.'),
  GATE_APPS: list
    .refine((apps) => apps.every(isAppId), 'must be ids like default,my-app')
    .refine(isDistinct, 'must not name one app twice')
    .default([])
    .describe('The apps whose clients are sent to this node, separated by commas; empty: all.'),
  GATE_TRACK: z
    .string()
    .refine(isAppId, 'must be a name like canary')
    .default('stable')
    .describe('What the release that this node runs is called, for the rules of the LSB.'),
  GATE_WEIGHT: whole(1, 1_000)
    .default(1)
    .describe('How many connections this node bears, next to others.'),
  GATE_SHED_PERCENT: whole(0, 100)
    .default(20)
    .describe('Of its connections a node hands on so many in a minute, while others have less.'),
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
    .describe(
      'Whom a sign-in displaces: same-class (phone, web, desktop), single, or unlimited (to 100).',
    ),
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
  RED_PACKET_SHARE_MAX: whole(1, redPacketMost.shareMax)
    .default(20_000)
    .describe('What a share of a red packet may be worth at most, in minor units.'),
  RED_PACKET_SHARES_MAX: whole(1, redPacketMost.countMax)
    .default(100)
    .describe('How many shares a red packet may have.'),
  RED_PACKET_TTL_SECONDS: whole(1, redPacketMost.ttlSeconds)
    .default(86_400)
    .describe('How long a red packet is open; what is left then goes back to its sender.'),
  RED_PACKET_APPS: list
    .refine((rules) => rules.every(isRedPacketApp), 'must be like my-app:20000/100/86400')
    .refine((rules) => isDistinct(rules.map(appOf)), 'must not name one app twice')
    .default([])
    .describe('These three for single apps, as APP:SHARE/SHARES/SECONDS, separated by commas.'),
  APPS: list
    .refine((apps) => apps.length > 0 && apps.every(isAppId), 'must be ids like default,my-app')
    .refine(isDistinct, 'must not name one app twice')
    .default(['default'])
    .describe('The ids of the apps served, separated by commas; their users never meet.'),
  SERVER_KEYS: list
    .refine(
      (keys) => keys.every(isServerKey),
      'must be like default:KEY, of 32 to 128 of A-Za-z0-9_-',
    )
    .refine(isDistinct, 'must not name one key twice')
    .default([])
    .describe(
      "Keys of apps' own servers, as APP:KEY, separated by commas; they may credit wallets.",
    ),
  LOG_LEVEL: oneOf(logLevels)
    .default('info')
    .describe('How much is logged: trace, debug, info, warn, error, fatal or silent.'),
  FAILPOINTS: z
    .string()
    .refine(
      areFailpoints,
      'must be like kill:before-commit@2,stop:before-commit,bug:ack-before-commit',
    )
    .optional()
    .describe(
      "Where FastIM's own tests make the process die or stop; refused without NODE_ENV=test.",
    ),
  CLOCK_FILE: z
    .string()
    .optional()
    .describe("Where FastIM's own tests say by how many ms its clock is off; refused likewise."),
});

function isAppId(text: string): boolean {
  return /^[\w.-]{1,64}$/.test(text);
}

function isServerKey(text: string): boolean {
  return /^[\w.-]{1,64}:[\w-]{32,128}$/.test(text);
}

/** What comes before the first colon. */
export function appOf(text: string): string {
  return text.slice(0, text.indexOf(':'));
}

/** The rules of red packets for one app, from `APP:SHARE/SHARES/SECONDS`; null: it is none. */
export function redPacketAppOf(text: string) {
  const [, shareMax, countMax, ttlSeconds] =
    /^[\w.-]{1,64}:(\d{1,10})\/(\d{1,4})\/(\d{1,8})$/.exec(text)?.map(Number) ?? [];
  if (!shareMax || !countMax || !ttlSeconds) return null;
  const rules = { shareMax, countMax, ttlSeconds };
  const isWithin =
    shareMax <= redPacketMost.shareMax &&
    countMax <= redPacketMost.countMax &&
    ttlSeconds <= redPacketMost.ttlSeconds;
  return isWithin ? { appId: appOf(text), ...rules } : null;
}

function isRedPacketApp(text: string): boolean {
  return redPacketAppOf(text) !== null;
}

function isDistinct(items: readonly string[]): boolean {
  return new Set(items).size === items.length;
}
