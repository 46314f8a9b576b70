import Database from 'libsql';
import { createConnection } from 'mariadb';
import type { Shown, Store, StoredConversation, StoredLog } from '../support/history.ts';

/** Where a server keeps its data. */
export type Place =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'mysql'; readonly urls: readonly string[] };

interface Rows {
  Conversation: { id: bigint; lastSeq: number; changeSeq: number };
  Member: { conversationId: bigint; userId: bigint; joinedSeq: number; readSeq: number };
  Message: {
    conversationId: bigint;
    seq: number;
    senderId: bigint | null;
    clientMessageId: Uint8Array | null;
    content: string;
    recalledAtMs: bigint | null;
    changeSeq: number;
  };
  InboxHead: { userId: bigint; lastOffset: number; trimmedOffset: number };
  InboxEntry: { userId: bigint; conversationId: bigint; position: number; count: number };
  Left: { outboxRows: number; untoldReads: number };
}

const statements: { readonly [K in keyof Rows]: string } = {
  Conversation: 'SELECT id, lastSeq, changeSeq FROM Conversation',
  Member: 'SELECT conversationId, userId, joinedSeq, readSeq FROM Member WHERE isListed = 1',
  Message:
    'SELECT conversationId, seq, senderId, clientMessageId, content, recalledAtMs, changeSeq' +
    ' FROM Message ORDER BY conversationId, seq',
  InboxHead:
    'SELECT userId, trimmedOffset,' +
    ' (SELECT COALESCE(MAX(lastOffset), 0) FROM InboxEntry WHERE InboxEntry.userId = InboxHead.userId) AS lastOffset' +
    ' FROM InboxHead',
  InboxEntry:
    'SELECT userId, conversationId, position, COALESCE(count, 1) AS count FROM InboxEntry WHERE COALESCE(kind, 0) = 0' +
    ' ORDER BY userId, lastOffset',
  Left:
    'SELECT (SELECT COUNT(*) FROM OutboxRow WHERE doneAtMs IS NULL) AS outboxRows,' +
    ' (SELECT COUNT(*) FROM UntoldRead) AS untoldReads',
};

/** Small numbers, which one driver gives as bigints and the other does not. */
const small = new Set(
  'lastSeq changeSeq joinedSeq readSeq seq lastOffset trimmedOffset position count outboxRows untoldReads'.split(
    ' ',
  ),
);

/** Reads a server's tables beside it, while it runs or not. */
export class Tables {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  /** Committed work that nobody was told of yet. */
  async left(): Promise<{ outbox: number; reads: number }> {
    const rows = await this.#read('Left');
    const sum = (name: keyof Rows['Left']): number =>
      rows.reduce((total, row) => total + row[name], 0);
    return { outbox: sum('outboxRows'), reads: sum('untoldReads') };
  }

  /** Of each user the offset at which their inbox log ends. */
  async heads(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#read('InboxHead');
    return new Map(rows.map(({ userId, lastOffset }) => [String(userId), lastOffset]));
  }

  /** All that the checker asks of a store, but what the API answers. */
  async store(): Promise<Store> {
    const { outbox, reads } = await this.left();
    return {
      conversations: await this.#conversations(),
      logs: await this.#logs(),
      undoneOutboxRows: outbox,
      untoldReads: reads,
    };
  }

  async #conversations(): Promise<StoredConversation[]> {
    const messages = grouped(await this.#read('Message'), (row) => row.conversationId);
    const members = grouped(await this.#read('Member'), (row) => row.conversationId);
    const heads = await this.#read('Conversation');
    return heads.map(({ id, lastSeq, changeSeq }) => ({
      id: String(id),
      lastSeq,
      changeSeq,
      messages: (messages.get(id) ?? []).map(shownOf),
      members: (members.get(id) ?? []).map(({ userId, joinedSeq, readSeq }) => ({
        user: String(userId),
        joinedSeq,
        readSeq,
        unreadCount: null,
      })),
    }));
  }

  async #logs(): Promise<StoredLog[]> {
    const entries = grouped(await this.#read('InboxEntry'), ({ userId }) => userId);
    const heads = await this.#read('InboxHead');
    return heads.map(({ userId, trimmedOffset }) => ({
      user: String(userId),
      isWhole: trimmedOffset === 0,
      runs: (entries.get(userId) ?? []).map(({ conversationId, position, count }) => ({
        conversation: String(conversationId),
        firstSeq: position,
        count,
      })),
    }));
  }

  async #read<K extends keyof Rows>(table: K): Promise<Rows[K][]> {
    const rows = await this.#query(statements[table]);
    return rows.map(
      (row) =>
        Object.fromEntries(
          Object.entries(row).map(([name, value]) => [
            name,
            small.has(name) ? Number(value) : value,
          ]),
        ) as Rows[K],
    );
  }

  async #query(text: string): Promise<Record<string, unknown>[]> {
    if (this.#place.kind === 'sqlite') {
      const database = new Database(this.#place.file, { readonly: true });
      try {
        return database.prepare(text).safeIntegers(true).all() as Record<string, unknown>[];
      } finally {
        database.close();
      }
    }
    const answers: Record<string, unknown>[][] = [];
    for (const url of this.#place.urls) {
      const connection = await createConnection(url.replace(/^mysql:/, 'mariadb:'));
      try {
        answers.push(await connection.query<Record<string, unknown>[]>(text));
      } finally {
        await connection.end();
      }
    }
    return answers.flat();
  }
}

function shownOf(row: Rows['Message']): Shown {
  const content = JSON.parse(row.content) as {
    text?: string;
    event?: string;
    actorId?: string;
  } | null;
  return {
    seq: row.seq,
    sender: row.senderId === null ? (content?.actorId ?? '') : String(row.senderId),
    key: row.clientMessageId === null ? null : Buffer.from(row.clientMessageId).toString(),
    text: row.recalledAtMs === null ? (content?.text ?? content?.event ?? null) : null,
    changeSeq: row.changeSeq,
  };
}

function grouped<Row, Key>(rows: readonly Row[], keyOf: (row: Row) => Key): Map<Key, Row[]> {
  const groups = new Map<Key, Row[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return groups;
}
