import { z } from 'zod';
import { slotCount } from './lib/id.ts';
import type { LogLevel } from './lib/log.ts';
import { parsePartition } from './lib/partition.ts';
import { appOf, redPacketAppOf, variables, type SessionPolicy } from './variables.ts';

export { sessionPolicies, variables, type SessionPolicy } from './variables.ts';

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
    /** Proxies in front of it whose X-Forwarded-For is believed. */
    readonly trustedProxies: number;
  };
  /** No GraphiQL, no introspection, no words about the schema in errors. */
  readonly isProduction: boolean;
  /** How much of one kind, by whom; 0: as much as they like. */
  readonly budgets: {
    /** By an address. */
    readonly registrationsPerHour: number;
    /** By an address. */
    readonly loginsPerHour: number;
    /** By a user. */
    readonly sendsPerMinute: number;
    /** By a session, or by an address without one; so is the cost. */
    readonly operationsPerSecond: number;
    readonly costPerMinute: number;
    /** Sockets and event streams, by an address. */
    readonly connectionsPerAddress: number;
  };
  readonly storage: {
    readonly dataDir: string;
    /** One MySQL database per shard; none: SQLite in the data folder, as the one shard. */
    readonly databaseUrls: readonly string[];
    /** Every slot once; undefined: equal ranges in the shards' order. */
    readonly slotMap: readonly SlotRange[] | undefined;
  };
  /** What joins it with other nodes; null: it is alone, and holds its shards against others. */
  readonly cluster: {
    /** One Redis, or several by bucket of users: their order and number say whose is which. */
    readonly redisUrls: readonly string[];
    /** Undefined: a random one. */
    readonly nodeId: string | undefined;
  } | null;
  /** What the LSB knows of this node's gate. */
  readonly gate: {
    /** Whose clients are sent here. */
    readonly apps: readonly string[];
    readonly track: string;
    readonly weight: number;
    /** How much of its connections it hands on at most, while others have less; 0: none. */
    readonly shedPercentPerMinute: number;
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
  /** What red packets may be; amounts in minor units. */
  readonly redPackets: RedPacketSettings & {
    /** Where an app has rules of its own. */
    readonly apps: readonly (RedPacketSettings & { readonly appId: string })[];
  };
  readonly sessionPolicy: SessionPolicy;
  readonly apps: readonly string[];
  /** What apps' own servers show in place of an access token. */
  readonly serverKeys: readonly { readonly appId: string; readonly secret: string }[];
  readonly logLevel: LogLevel;
  /** What lib/failpoint.ts reads; empty: none. */
  readonly failpoints: string;
  /** What lib/clock.ts reads for tests; undefined: its clock is the machine's. */
  readonly clockFile: string | undefined;
}

/** The rules of red packets. */
export interface RedPacketSettings {
  /** What a share may be worth at most. */
  readonly shareMax: number;
  readonly countMax: number;
  readonly ttlSeconds: number;
}

/** Slots `first` to `last`, both included, live on the shard of that index. */
export interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly shard: number;
}

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

/** A crash, a bug or a wrong time on purpose: nobody shall have one by a variable that was left set. */
const forTests = z
  .object({
    FAILPOINTS: z.string().optional(),
    CLOCK_FILE: z.string().optional(),
    NODE_ENV: z.string().optional(),
  })
  .superRefine(({ NODE_ENV, ...set }, context) => {
    if (NODE_ENV === 'test') return;
    for (const name of Object.keys(set)) {
      const message = 'is for tests alone, so it needs NODE_ENV=test';
      context.addIssue({ code: 'custom', path: [name], message });
    }
  });

/** A key of an app that nobody serves is a misspelt one. */
const serverKeys = variables
  .pick({ APPS: true, SERVER_KEYS: true })
  .refine(({ APPS, SERVER_KEYS }) => SERVER_KEYS.every((key) => APPS.includes(appOf(key))), {
    path: ['SERVER_KEYS'],
    message: 'must be of apps that APPS names',
  });

/** No client can be sent here for an app that nobody serves. */
const gateApps = variables
  .pick({ APPS: true, GATE_APPS: true })
  .refine(({ APPS, GATE_APPS }) => GATE_APPS.every((app) => APPS.includes(app)), {
    path: ['GATE_APPS'],
    message: 'must be of apps that APPS names',
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

/** Nodes share their data and their keys: what they cannot share they must not have. */
const cluster = variables
  .pick({ REDIS_URLS: true, DATABASE_URLS: true, ACCESS_TOKEN_KEYS: true })
  .superRefine(({ REDIS_URLS, DATABASE_URLS, ACCESS_TOKEN_KEYS }, context): void => {
    if (REDIS_URLS.length === 0) return;
    const need = (path: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [path], message });
    };
    if (DATABASE_URLS.length === 0) need('DATABASE_URLS', 'is needed with REDIS_URLS');
    if (ACCESS_TOKEN_KEYS === undefined) {
      need('ACCESS_TOKEN_KEYS', 'is needed with REDIS_URLS: all nodes sign with the same keys');
    }
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
  const armed = forTests.safeParse(Object.fromEntries(given));
  const joined = cluster.safeParse(Object.fromEntries(given));
  const keys = serverKeys.safeParse(Object.fromEntries(given));
  const ofGate = gateApps.safeParse(Object.fromEntries(given));
  const all = [parsed, map, armed, joined, keys, ofGate];
  if (parsed.success && map.success && all.every(({ success }) => success))
    return frozen(toConfig(parsed.data, map.data));
  const issues = all.flatMap(({ error }) => error?.issues ?? []);
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
      trustedProxies: given.TRUST_PROXY,
    },
    isProduction: given.PRODUCTION === 1,
    budgets: {
      registrationsPerHour: given.REGISTRATIONS_PER_HOUR,
      loginsPerHour: given.LOGINS_PER_HOUR,
      sendsPerMinute: given.SENDS_PER_MINUTE,
      operationsPerSecond: given.OPERATIONS_PER_SECOND,
      costPerMinute: given.COST_PER_MINUTE,
      connectionsPerAddress: given.CONNECTIONS_PER_ADDRESS,
    },
    storage: {
      dataDir: given.DATA_DIR,
      databaseUrls: given.DATABASE_URLS,
      slotMap: slotRanges,
    },
    cluster:
      given.REDIS_URLS.length === 0 ? null : { redisUrls: given.REDIS_URLS, nodeId: given.NODE_ID },
    gate: {
      apps: given.GATE_APPS.length === 0 ? given.APPS : given.GATE_APPS,
      track: given.GATE_TRACK,
      weight: given.GATE_WEIGHT,
      shedPercentPerMinute: given.GATE_SHED_PERCENT,
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
    redPackets: {
      shareMax: given.RED_PACKET_SHARE_MAX,
      countMax: given.RED_PACKET_SHARES_MAX,
      ttlSeconds: given.RED_PACKET_TTL_SECONDS,
      apps: given.RED_PACKET_APPS.flatMap((text) => redPacketAppOf(text) ?? []),
    },
    sessionPolicy: given.SESSION_POLICY,
    apps: given.APPS,
    serverKeys: given.SERVER_KEYS.map((key) => ({
      appId: appOf(key),
      secret: key.slice(appOf(key).length + 1),
    })),
    logLevel: given.LOG_LEVEL,
    failpoints: given.FAILPOINTS ?? '',
    clockFile: given.CLOCK_FILE,
  };
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(frozen);
  return Object.freeze(value);
}
