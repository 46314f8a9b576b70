/** A server in a process of its own that tells its parent what went wrong in it, and how much memory it holds. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readConfig } from '../../src/config.ts';
import { createLogger } from '../../src/lib/log.ts';
import { FastimServer } from '../../src/server.ts';
import { cheapPasswords } from '../support/accounts.ts';
import { unlimited } from '../support/budgets.ts';
import { fuzzServerKey } from './values.ts';

/** What it says to its parent. */
export type Told =
  | { readonly kind: 'ready'; readonly url: string }
  | { readonly kind: 'finding'; readonly text: string }
  | { readonly kind: 'memory'; readonly rssBytes: number; readonly heapBytes: number };

const tell = (told: Told): void => void process.send?.(told);
const finding = (what: string) => (reason: unknown) =>
  tell({
    kind: 'finding',
    text: `${what}: ${reason instanceof Error ? reason.stack : String(reason)}`,
  });

process.on('unhandledRejection', finding('unhandled rejection'));
process.on('uncaughtException', finding('uncaught exception'));

const folder = mkdtempSync(path.join(tmpdir(), 'fastim-fuzz-'));
const config = readConfig({
  ...{ PORT: '0', DATA_DIR: folder, APPS: 'default,other' },
  SERVER_KEYS: `default:${fuzzServerKey}`,
});
const log = createLogger(
  { level: 'error' },
  { write: (line: string) => tell({ kind: 'finding', text: `logged: ${line.trim()}` }) },
);
const server = new FastimServer(
  { ...config, budgets: unlimited, sessionPolicy: 'unlimited' },
  { log, passwordCost: cheapPasswords, onLost: finding('lost') },
);
await server.start();

process.on('message', (message) => {
  if (message === 'memory') {
    for (let times = 0; times < 3; times += 1) globalThis.gc?.();
    const { rss, heapUsed } = process.memoryUsage();
    tell({ kind: 'memory', rssBytes: rss, heapBytes: heapUsed });
  } else if (message === 'stop') {
    void server.stop(0).then(() => {
      rmSync(folder, { recursive: true, force: true });
      process.disconnect();
    });
  }
});
process.on('disconnect', () => process.exit());
tell({ kind: 'ready', url: server.url });
