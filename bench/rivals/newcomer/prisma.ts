// Prisma over its driver adapters, set up as their read-mes say.
import { PrismaLibSql } from '@prisma/adapter-libsql';
import { PrismaMariaDb } from '@prisma/adapter-mariadb';
import { PrismaClient } from './generated/mysql/client.ts';
import { PrismaClient as SqlitePrismaClient } from './generated/sqlite/client.ts';

/** @param url `mysql://…` or `file:…`. */
export function openPrisma(url: string): PrismaClient {
  if (url.startsWith('file:')) {
    // One set of models, so the types are the same but for their names.
    return new SqlitePrismaClient({ adapter: new PrismaLibSql({ url }) }) as never;
  }
  const { hostname, port, username, password, pathname } = new URL(url);
  return new PrismaClient({
    adapter: new PrismaMariaDb({
      host: hostname,
      port: Number(port),
      user: decodeURIComponent(username),
      password: decodeURIComponent(password),
      database: pathname.slice(1),
      // The default of 10 s fails sends of 512 senders where the machine is slow.
      acquireTimeout: 60_000,
    }),
  });
}
