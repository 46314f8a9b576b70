import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Connection } from 'mariadb';
import { freePort } from '../../test/support/process.ts';
import { demand } from '../runner/void.ts';
import { connectTo } from './database.ts';
import { keysIn, tokenFor, tokenSecretOf } from './people.ts';
import { compile, generateClients, rivalFolder } from './rival-build.ts';
import { ServerChild } from './server-child.ts';

const folder = rivalFolder('red-packets');
const rowsPerStatement = 400;

/** The rival that locks the row of a packet for each claim, and who is signed in there. */
export interface PacketRival extends AsyncDisposable {
  readonly server: ServerChild;
  /** By index: that of the user with id index + 1. */
  readonly accessTokens: readonly string[];
  /** New packets of the first user. @returns their ids. */
  makePackets(count: number, packet: { total: number; shares: number }): Promise<string[]>;
  /** @throws {VoidRun} where its books are wrong. */
  checkBooks(): Promise<void>;
}

/** @param databaseUrl of an empty database. */
export async function startPacketRival(databaseUrl: string, people: number): Promise<PacketRival> {
  generateClients(folder, ['mysql']);
  const own = await mkdtemp(path.join(tmpdir(), 'fastim-bench-rival-'));
  const connection = await connectTo(databaseUrl);
  await connection.query(readFileSync(`${folder}/tables.mysql.sql`, 'utf8'));
  const users = Array.from({ length: people }, (_, index) => `(${index + 1}, 'person_${index}')`);
  for (let at = 0; at < people; at += rowsPerStatement) {
    const rows = users.slice(at, at + rowsPerStatement).join(', ');
    await connection.query(`INSERT INTO User (id, username) VALUES ${rows}`);
  }
  const keys = await keysIn(path.join(own, 'keys.json'));
  const server = await ServerChild.start({
    name: 'rival',
    port: await freePort(),
    args: [await compile(folder, 'yoga')],
    env: { DATABASE_URL: databaseUrl, TOKEN_SECRET: tokenSecretOf(keys) },
    readyPath: '/health',
  });
  return {
    server,
    accessTokens: users.map((_, index) => tokenFor(keys, BigInt(index + 1), 1n)),
    makePackets: (count, packet) => insertPackets(connection, count, packet),
    checkBooks: () => checkBooks(connection),
    async [Symbol.asyncDispose]() {
      await server.stop();
      await connection.end();
      await rm(own, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function insertPackets(
  connection: Connection,
  count: number,
  { total, shares }: { total: number; shares: number },
): Promise<string[]> {
  const rows = new Array<string>(count).fill(`(1, ${total}, ${shares})`).join(', ');
  const { insertId } = await connection.query<{ insertId: bigint }>(
    `INSERT INTO RedPacket (senderId, total, count) VALUES ${rows}`,
  );
  const first = Number(insertId);
  return Array.from({ length: count }, (_, index) => String(first + index));
}

async function checkBooks(connection: Connection): Promise<void> {
  const sums = await connection.query<Record<string, unknown>[]>(
    'SELECT (SELECT SUM(amount) FROM Claim) AS claims, (SELECT SUM(claimedTotal) FROM RedPacket) AS packets,' +
      ' (SELECT SUM(balance) FROM User) AS balances, (SELECT SUM(amount) FROM WalletEntry) AS entries',
  );
  const values = Object.values(sums[0] ?? {}).map(String);
  demand(new Set(values).size === 1, `the rival's books are wrong: ${values.join(', ')}`);
}
