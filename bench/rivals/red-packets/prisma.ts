// The client over Prisma's adapter, as its read-me sets it up.
import { PrismaMariaDb } from '@prisma/adapter-mariadb';
import { PrismaClient } from './generated/mysql/client.ts';

/** @param url `mysql://…`. */
export function openPrisma(url: string): PrismaClient {
  const { hostname, port, username, password, pathname } = new URL(url);
  return new PrismaClient({
    adapter: new PrismaMariaDb({
      host: hostname,
      port: Number(port),
      user: decodeURIComponent(username),
      password: decodeURIComponent(password),
      database: pathname.slice(1),
      // The default of 10 s fails claims of 2,000 claimers where the machine is slow.
      acquireTimeout: 60_000,
    }),
  });
}
