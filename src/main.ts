import './node-env.ts';
import { existsSync } from 'node:fs';
import { ConfigError, configExitCode, readConfig, type Config } from './config.ts';
import { createLogger } from './lib/log.ts';
import { limits } from './limits.ts';
import { FastimServer } from './server.ts';
import { isUnheardSetupFailure } from './storage/mariadb-pool.ts';
import { StartupRefusal } from './storage/startup-refusal.ts';
import { endProcess } from './storage/stuck-thread.ts';

/** EX_UNAVAILABLE of sysexits.h: something that the server needs is not as it must be. */
const refusedExitCode = 69;

/** EX_USAGE of sysexits.h. */
const usageExitCode = 64;

/** Beyond the drain: for requests under way, and for closing the shards. */
const afterDrainMs = 5_000;

await main();

async function main(): Promise<void> {
  refuseArguments(process.argv.slice(2));
  const config = configOrExit();
  const log = createLogger({ level: config.logLevel });
  const die = (event: string) => (reason: unknown) => {
    log.fatal({ err: reason }, event);
    endProcess(reason, 1);
  };
  process.on('uncaughtException', die('process.uncaughtException'));
  const dieOfRejection = die('process.unhandledRejection');
  process.on('unhandledRejection', (reason) => {
    // Whoever waited for that connection has heard of it: a database that goes away ends no node.
    if (isUnheardSetupFailure(reason)) log.warn({ err: reason }, 'process.connectionFailed');
    else dieOfRejection(reason);
  });
  const server = new FastimServer(config, { log, onLost: die('server.lost') });
  const stop = stopOnSignals(server, die('server.stopFailed'));
  try {
    await server.start();
  } catch (error) {
    if (!(error instanceof StartupRefusal)) throw error;
    console.error(error.message);
    process.exit(refusedExitCode);
  }
  if (stop.isAsked) return;
  console.log(`FastIM serves GraphQL on ${server.url}/graphql`);
  if (server.hasPage) console.log(`Open it in a browser for GraphiQL: ${server.url}/graphql`);
}

/** Whoever gives it a port there would else wonder why it listens elsewhere. */
function refuseArguments([first]: readonly string[]): void {
  if (first === undefined) return;
  const isQuestion = first === '--help' || first === '-h';
  const tell = isQuestion ? console.log : console.error;
  tell(
    'FastIM takes no arguments: what can be set are environment variables, or lines of a file .env in this folder. ' +
      '.env.example lists them, docs/operating.md tells more. `npm run ledger:check -- --help` shows the commands for operators.',
  );
  process.exit(isQuestion ? 0 : usageExitCode);
}

function configOrExit(): Config {
  try {
    if (existsSync('.env')) process.loadEnvFile('.env');
    return readConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exit(configExitCode);
  }
}

/** The first signal drains, the second one ends at once. */
function stopOnSignals(
  server: FastimServer,
  onFailed: (reason: unknown) => void,
): { isAsked: boolean } {
  const stop = { isAsked: false };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stop.isAsked) process.exit(1);
      stop.isAsked = true;
      server.stop(limits.drainMs + afterDrainMs).then(() => process.exit(0), onFailed);
    });
  }
  return stop;
}
