import { parentPort, workerData } from 'node:worker_threads';
import { PrismaLibSql } from '@prisma/adapter-libsql';
import { isDriverAdapterError, type SqlDriverAdapter } from '@prisma/driver-adapter-utils';
import { present } from '../lib/assert.ts';
import { SqlError } from './sql.ts';
import { SqliteConnection, sqlErrorOf } from './sqlite-connection.ts';
import type {
  SqliteAnswer,
  SqliteAnswers,
  SqliteFailure,
  SqliteRequest,
  SqliteTask,
  SqliteWorkerData,
} from './sqlite-protocol.ts';

// The thread that owns one connection. Everything here is synchronous underneath, which would
// starve a server's event loop.

const port = present(parentPort, 'this file runs as a worker thread');
const connection = opened(workerData as SqliteWorkerData);
const adapter = await new (class extends PrismaLibSql {
  override createClient(): ReturnType<PrismaLibSql['createClient']> {
    return connection.client as ReturnType<PrismaLibSql['createClient']>;
  }
})({ url: 'file:' }).connect();

/** The transaction that is open, and the one of which the rest is refused. */
let openTransaction: number | null = null;
let doomedTransaction: number | null = null;

/** The driver's own errors lose their message on the way out of a thread. */
function opened(data: SqliteWorkerData): SqliteConnection {
  try {
    return new SqliteConnection(data);
  } catch (error) {
    throw new Error(error instanceof Error ? error.message : String(error));
  }
}

async function answer(request: SqliteRequest): Promise<SqliteAnswer> {
  const { id, transaction, task } = request;
  try {
    enter(transaction, task);
    return { id, value: await perform(request, adapter) };
  } catch (error) {
    if (transaction !== null && task.kind !== 'rollback') doomedTransaction = transaction;
    // Whoever asked for a commit has let in the next one, whose requests may be here already.
    if (isEnd(task)) rollBack(transaction);
    return { id, failure: failureOf(error) };
  }
}

function enter(transaction: number | null, task: SqliteTask): void {
  if (task.kind === 'rollback' || task.kind === 'close') return;
  if (transaction === null) {
    if (connection.isInTransaction) throw new SqlError('other', 'another transaction is open');
    return;
  }
  if (transaction === doomedTransaction) {
    throw new SqlError('other', 'an earlier statement of this transaction failed');
  }
  if (transaction === openTransaction) return;
  connection.execute('BEGIN IMMEDIATE', []);
  openTransaction = transaction;
}

function perform(
  { task, transaction }: SqliteRequest,
  prisma: SqlDriverAdapter,
): SqliteAnswers[keyof SqliteAnswers] | Promise<SqliteAnswers[keyof SqliteAnswers]> {
  switch (task.kind) {
    case 'query':
      return connection.query(task.text, task.params);
    case 'execute': {
      const results = task.statements.map(({ text, params }) =>
        connection.execute(text, params ?? []),
      );
      if (task.commits) commit();
      return results;
    }
    case 'script':
      connection.script(task.script);
      return null;
    case 'prismaQuery':
      return prisma.queryRaw(task.query);
    case 'prismaExecute':
      return prisma.executeRaw(task.query);
    case 'commit':
      commit();
      return null;
    case 'rollback':
      rollBack(transaction);
      return null;
    case 'close':
      connection.close();
      port.close();
      return null;
  }
}

function commit(): void {
  connection.execute('COMMIT', []);
  openTransaction = null;
}

/** Of this transaction only: when it has ended already, another may be open. */
function rollBack(transaction: number | null): void {
  if (transaction !== openTransaction) return;
  if (connection.isInTransaction) connection.execute('ROLLBACK', []);
  openTransaction = null;
}

function isEnd(task: SqliteTask): boolean {
  return task.kind === 'commit' || (task.kind === 'execute' && task.commits === true);
}

function failureOf(error: unknown): SqliteFailure {
  if (error instanceof Error && isDriverAdapterError(error)) {
    return { from: 'prisma', payload: error.cause, message: error.message };
  }
  const { kind, message } = sqlErrorOf(error);
  return { from: 'sql', kind, message };
}

// One after the other, although the adapter answers by promise: order is what callers build on.
let last: Promise<void> = Promise.resolve();
port.on('message', (request: SqliteRequest) => {
  last = last.then(async () => port.postMessage(await answer(request)));
});
