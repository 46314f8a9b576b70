import type { ConnectionConfig } from 'mariadb';
import { StartupRefusal } from './startup-refusal.ts';

/** How long connecting may take, in ms. */
const connectTimeoutMs = 3_000;

/**
 * What every session has, whatever the server's settings: strictness, READ COMMITTED, no wait for a
 * lock that is longer than a client would wait, and an early end for sessions whose node has gone
 * without a word.
 */
const sessionSql = [
  "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
  'SET SESSION innodb_lock_wait_timeout = 2',
  'SET SESSION wait_timeout = 120',
];

/**
 * The driver's options for a `mysql://user:password@host:port/database` URL. Parameters: `ssl=true`
 * (checked against the system's authorities), `socketPath`, `allowPublicKeyRetrieval=true` (MySQL 8
 * without TLS).
 * @throws {StartupRefusal} when it is no such URL; the message does not show the password.
 */
export function mariadbOptions(text: string): ConnectionConfig & { database: string } {
  const url = URL.canParse(text) ? new URL(text) : null;
  const database = url ? decodeURIComponent(url.pathname.slice(1)) : '';
  if (!url || !['mysql:', 'mariadb:'].includes(url.protocol) || !database) {
    throw new StartupRefusal(
      'A database URL must look like mysql://user:password@host:3306/database.',
    );
  }
  const socketPath = url.searchParams.get('socketPath');
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 3306 : Number(url.port),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database,
    ...(socketPath ? { socketPath } : {}),
    ...(url.searchParams.get('ssl') === 'true' ? { ssl: true } : {}),
    allowPublicKeyRetrieval: url.searchParams.get('allowPublicKeyRetrieval') === 'true',
    connectTimeout: connectTimeoutMs,
    keepAliveDelay: 30_000,
    initSql: sessionSql,
    // The values of a statement are people's words: they belong into no error and no log.
    logParam: false,
    logger: {},
    autoJsonMap: false,
    insertIdAsNumber: false,
  };
}

/** Where a URL leads, for messages: without user and password. */
export function databaseLabel(text: string): string {
  const { host, port, database } = mariadbOptions(text);
  return `${host ?? ''}:${port ?? 3306}/${database}`;
}
