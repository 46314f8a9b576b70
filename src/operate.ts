import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { backUp } from './backup.ts';
import { baseUrl, ConfigError, configExitCode, readConfig, type Config } from './config.ts';
import { operatorKeyIn } from './domain/app/app.ts';
import { askAt, Refusal, refusedExitCode, type Ask } from './operator-call.ts';
import { FastimServer } from './server.ts';
import { databaseFile } from './storage/shards.sqlite.ts';
import { StartupRefusal } from './storage/startup-refusal.ts';

/**
 * What an operator does to a deployment, from its folder: money, where clients are sent, backups. But for the last it asks the
 * server that runs there, by the operator's key in the data folder; where none runs, it is one itself for a moment. So it does
 * not matter that one process alone may use the shards, and clients that are connected are told at once.
 */

const usage = `Usage:
  npm run wallet:credit -- --user-id u_… --amount 500 --key K --reason TEXT [--url http://…]
      Puts money into a wallet: minor units, at least 1. The same key credits once, however often it is run.
  npm run ledger:check [-- --url http://…]
      Proves over all shards that no money was made or lost.
  npm run gate:list [-- --url http://…]
      Shows all gates: their state, what they are for, how full they are.
  npm run gate:rules [-- --file RULES.json] [--url http://…]
      Shows the rules by which clients are sent to gates; with a file puts those that it holds in their place.
  npm run backup -- --to FOLDER [--dump-flags='--ssl …']
      Copies all data, as it is at one moment, into a new folder, while servers go on.
Without --url: the server that listens at HOST and PORT, else one of its own over DATA_DIR.`;

/** EX_USAGE of sysexits.h. */
const usageExitCode = 64;
const stopGraceMs = 5_000;

/** @returns what the process exits with. */
type Command = (config: Config) => Promise<number>;

/** The same, of a server. */
type Asking = (ask: Ask) => Promise<number>;

await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(usage);
    return;
  }
  try {
    const command = read(args);
    if (existsSync('.env')) process.loadEnvFile('.env');
    process.exitCode = await command(readConfig());
  } catch (error) {
    const exitCode = exitCodeOf(error);
    if (exitCode === null || !(error instanceof Error)) throw error;
    console.error(error.message);
    process.exitCode = exitCode;
  }
}

function exitCodeOf(error: unknown): number | null {
  if (error instanceof Refusal) return error.exitCode;
  if (error instanceof ConfigError) return configExitCode;
  return error instanceof StartupRefusal ? refusedExitCode : null;
}

function read([name, ...rest]: readonly string[]): Command {
  try {
    if (name === 'ledger:check') return asking(optionsIn(rest, ['url']).url, checkLedger);
    if (name === 'gate:list') return asking(optionsIn(rest, ['url']).url, listGates);
    if (name === 'gate:rules') {
      const { file, url } = optionsIn(rest, ['file', 'url']);
      return asking(url, file === undefined ? showRules : setRules(file));
    }
    if (name === 'backup') {
      const { to, 'dump-flags': flags } = optionsIn(rest, ['to', 'dump-flags']);
      if (!to) throw new Error('--to is needed');
      return takeBackup(to, flags);
    }
    if (name === 'wallet:credit') {
      const given = optionsIn(rest, ['user-id', 'amount', 'key', 'reason', 'url']);
      const { 'user-id': userId, amount, key, reason, url } = given;
      if (userId === undefined || amount === undefined || key === undefined || reason === undefined)
        throw new Error('--user-id, --amount, --key and --reason are all needed');
      // Not Number('1e3') or Number(''): what is credited is what was typed.
      if (!/^\d{1,16}$/.test(amount)) throw new Error('--amount is a whole number of minor units');
      return asking(url, credit({ userId, amount: Number(amount), key, reason }));
    }
    throw new Error(name === undefined ? 'What is to be done?' : `There is no ${name}.`);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Refusal(`${reason}\n${usage}`, usageExitCode);
  }
}

/** @throws {Error} for what is not known, or given twice: nobody could say which was meant. */
function optionsIn<Name extends string>(
  args: readonly string[],
  names: readonly Name[],
): Record<Name, string | undefined> {
  const options: Record<string, { type: 'string' }> = {};
  for (const name of names) options[name] = { type: 'string' };
  const { values, tokens } = parseArgs({ args: [...args], options, tokens: true });
  const given = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    if (given.has(token.name)) throw new Error(`--${token.name} is given twice`);
    given.add(token.name);
  }
  return Object.fromEntries(names.map((name) => [name, values[name]])) as Record<
    Name,
    string | undefined
  >;
}

function credit(input: object): Asking {
  return async (ask) => {
    const { creditWallet } = await ask<{
      creditWallet: {
        isDuplicate: boolean;
        balance: number;
        entry: { id: string; amount: number };
      };
    }>(
      'mutation ($input: CreditWalletInput!) { creditWallet(input: $input) { isDuplicate balance entry { id amount } } }',
      { input },
    );
    const { isDuplicate, balance, entry } = creditWallet;
    const what = `${entry.id}: ${entry.amount}, after which the balance was ${balance}`;
    console.log(isDuplicate ? `Was credited before, as ${what}` : `Credited as ${what}`);
    return 0;
  };
}

async function checkLedger(ask: Ask): Promise<number> {
  const { ledger } = await ask<{ ledger: { isSound: boolean; problems: string[] } }>(
    '{ ledger { isSound issued wallets openPackets inFlight entries packets transfers problems } }',
    {},
  );
  const { problems, ...figures } = ledger;
  for (const [name, figure] of Object.entries(figures)) console.log(`${name}: ${figure}`);
  for (const problem of problems) console.error(`PROBLEM: ${problem}`);
  return ledger.isSound ? 0 : 1;
}

async function listGates(ask: Ask): Promise<number> {
  const { gates } = await ask<{ gates: Record<string, unknown>[] }>(
    '{ gates { id state httpUrl apps track weight connections tickets } }',
    {},
  );
  console.table(gates.map(({ apps, ...gate }) => ({ ...gate, apps: String(apps) })));
  return 0;
}

interface Rules {
  readonly revision: number;
  readonly changedAt: string | null;
  readonly rules: unknown;
}

function printRules({ revision, changedAt, rules }: Rules): void {
  console.log(JSON.stringify(rules, null, 2));
  console.error(changedAt === null ? 'None were ever set.' : `Revision ${revision}, ${changedAt}.`);
}

async function showRules(ask: Ask): Promise<number> {
  const { gateRules } = await ask<{ gateRules: Rules }>(
    '{ gateRules { revision changedAt rules } }',
    {},
  );
  printRules(gateRules);
  return 0;
}

/** @throws {Refusal} where the file cannot be read, or holds no JSON. */
function jsonIn(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Refusal(`${file} holds no rules: ${(error as Error).message}`, usageExitCode);
  }
}

/** @throws {Refusal} where the file cannot be read, or holds no JSON. */
function setRules(file: string): Asking {
  const rules = jsonIn(file);
  return async (ask) => {
    const { setGateRules } = await ask<{ setGateRules: { gateRules: Rules } }>(
      'mutation ($rules: JSON!) { setGateRules(rules: $rules) { gateRules { revision changedAt rules } } }',
      { rules },
    );
    printRules(setGateRules.gateRules);
    return 0;
  };
}

function takeBackup(to: string, flags = ''): Command {
  return async (config) => {
    console.log(await backUp(config, to, flags.split(/\s+/).filter(Boolean)));
    return 0;
  };
}

function asking(url: string | undefined, command: Asking): Command {
  return (config) => withServer(config, url, command);
}

async function withServer(
  config: Config,
  given: string | undefined,
  command: Asking,
): Promise<number> {
  const key = () => operatorKeyIn(join(config.storage.dataDir, 'operator-key'));
  const { port, host } = config.http;
  const own = { ...config.http, publicUrl: undefined };
  const url = given ?? (port === 0 ? null : baseUrl(own, port));
  if (url !== null && (given !== undefined || (await isThere(url)))) {
    return command(askAt(url, await key()));
  }
  const http = { ...own, port: 0, host: host.includes(':') ? '::1' : '127.0.0.1' };
  // Whoever stands in the wrong folder would else take an empty one's books for theirs.
  const nobody = `No server answers${url === null ? '' : ` at ${url}`}`;
  if (!isDataThere(config)) {
    const where = `there is no data in ${config.storage.dataDir}`;
    throw new Refusal(
      `${nobody}, and ${where}: are HOST, PORT and DATA_DIR right?`,
      refusedExitCode,
    );
  }
  console.error(`${nobody}: this reads ${placeOf(config)} itself.`);
  const server = new FastimServer({ ...config, http, logLevel: 'error' }, { isUnlisted: true });
  await server.start();
  try {
    return await command(askAt(server.url, await key()));
  } finally {
    await server.stop(stopGraceMs);
  }
}

function placeOf({ storage: { databaseUrls, dataDir } }: Config): string {
  return databaseUrls.length === 0 ? `the data in ${dataDir}` : 'the databases of DATABASE_URLS';
}

/** Databases of MySQL say so themselves. */
function isDataThere({ storage: { databaseUrls, dataDir } }: Config): boolean {
  return databaseUrls.length > 0 || existsSync(join(dataDir, databaseFile));
}

async function isThere(url: string): Promise<boolean> {
  return fetch(`${url}/health`).then(
    ({ ok }) => ok,
    () => false,
  );
}
