import { join } from 'node:path';
import type { Config } from './config.ts';
import type { RatePoints } from './domain/rate/rate.ts';
import type { KeyFile } from './domain/session/session.ts';
import { redisListOf } from './lib/redis-address.ts';
import type { limits as allLimits } from './limits.ts';
import type { ShardsConfig } from './storage/shards.ts';

/** Whose pages may call. */
export function allowedOrigins({ http }: Config): ReadonlySet<string> {
  const own = http.publicUrl === undefined ? [] : [new URL(http.publicUrl).origin];
  return new Set([...own, ...http.allowedOrigins]);
}

/** Where the shards are. */
export function shardsConfig({ storage, cluster }: Config): ShardsConfig {
  const { dataDir, databaseUrls, slotMap } = storage;
  if (databaseUrls.length === 0) return { kind: 'sqlite', dataDir };
  const joinedBy = cluster && redisListOf(cluster.redisUrls);
  return { kind: 'mysql', urls: databaseUrls, joinedBy, ...(slotMap && { slotMap }) };
}

/** Where the keys are that tokens are signed with. */
export function keyFile({ storage, tokens }: Config): KeyFile {
  return tokens.keysFile === undefined
    ? { path: join(storage.dataDir, 'access-token-keys.json'), isMadeIfMissing: true }
    : { path: tokens.keysFile, isMadeIfMissing: false };
}

/** How often each thing that is counted may be done. */
export function ratePoints({ budgets }: Config, bounds: typeof allLimits): RatePoints {
  return {
    register: budgets.registrationsPerHour,
    login: budgets.loginsPerHour,
    failedLogin: bounds.failedLoginsPerHourMax,
    refresh: bounds.refreshesPerMinuteMax,
    send: budgets.sendsPerMinute,
  };
}
