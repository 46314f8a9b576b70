import { insertRows } from '../../storage/inserts.ts';
import { marks } from '../../storage/sql.ts';
import type { Sql, SqlTransaction, SqlValue, Statement } from '../../storage/sql.ts';
import { fullHeadColumns, storedColumns } from './batch-load.ts';
import type { Member, Message } from './model.ts';
import { encodeBody } from './outbox.ts';
import type { OutboxBody } from './outbox.ts';
import {
  contentText,
  conversationKindCodes,
  memberColumns,
  messageKindCodes,
  roleCodes,
} from './rows.ts';
import type { Appended, ConversationState } from './state.ts';

/**
 * Writes all that a batch decided and commits, in one round trip, and answers with the id of its outbox row.
 * @param beside what else the drafts have written in the same transaction.
 * @param body null where nothing happened to a conversation, or where a test plants the bug of forgetting it.
 */
export async function writeBatch(
  tx: SqlTransaction,
  sql: Sql,
  states: readonly ConversationState[],
  beside: readonly Statement[],
  body: OutboxBody | null,
  nowMs: number,
): Promise<bigint> {
  const statements: Statement[] = [
    ...beside,
    ...insertHeads(states.filter((state) => state.isNew)),
    ...moveHeads(
      sql,
      states.filter((state) => !state.isNew),
    ),
    ...insertMessages(states),
    ...updateMessages(states),
    ...insertChanges(states),
    ...writeMembers(sql, states),
  ];
  if (body) {
    const text = 'INSERT INTO OutboxRow (createdAtMs, body) VALUES (?, ?)';
    statements.push({ text, params: [nowMs, encodeBody(body)] });
  }
  const results = await tx.finish(statements);
  return results.at(-1)?.insertId ?? 0n;
}

function insertHeads(states: readonly ConversationState[]): Statement[] {
  return insertRows('Conversation', fullHeadColumns, states.map(headValues));
}

/**
 * Heads of which the counters alone moved, and by as much, are moved by one statement: most of a batch are conversations
 * that got one message. The rows are locked, so what is added to is what was loaded.
 */
function moveHeads(sql: Sql, states: readonly ConversationState[]): Statement[] {
  const others: ConversationState[] = [];
  const groups = new Map<
    string,
    { readonly values: readonly SqlValue[]; readonly ids: bigint[] }
  >();
  for (const state of states) {
    const values = advanceOf(state);
    if (!values) {
      others.push(state);
      continue;
    }
    const key = values.join();
    const group = groups.get(key);
    if (group) group.ids.push(state.head.id);
    else groups.set(key, { values, ids: [state.head.id] });
  }
  const moves = [...groups.values()].map(({ values, ids }) => ({
    text:
      'UPDATE Conversation SET lastSeq = lastSeq + ?, changeSeq = changeSeq + ?, eventNo = eventNo + ?,' +
      ` activityAtMs = ?, movedAtMs = ? WHERE id IN (${marks(ids.length)})`,
    params: [...values, ...ids],
  }));
  return [...moves, ...updateHeads(sql, others)];
}

/** By how much its counters moved, and its times as they are; null where that is not all that changed. */
function advanceOf({ loaded, head }: ConversationState): number[] | null {
  const isSame =
    head.title === loaded.title &&
    head.membersEventNo === loaded.membersEventNo &&
    head.memberCount === loaded.memberCount &&
    head.isLarge === loaded.isLarge;
  if (!isSame) return null;
  return [
    head.lastSeq - loaded.lastSeq,
    head.changeSeq - loaded.changeSeq,
    head.eventNo - loaded.eventNo,
    head.activityAtMs,
    head.movedAtMs,
  ];
}

/** The rows are there and locked, so every row of this INSERT becomes an update of what can change. */
function updateHeads(sql: Sql, states: readonly ConversationState[]): Statement[] {
  const { dialect } = sql;
  const mutable = [
    'title',
    'lastSeq',
    'changeSeq',
    'eventNo',
    'membersEventNo',
    'memberCount',
    'isLarge',
    'activityAtMs',
    'movedAtMs',
  ];
  const set = mutable.map((column) => `${column} = ${dialect.incoming(column)}`).join(', ');
  return insertRows(
    'Conversation',
    fullHeadColumns,
    states.map(headValues),
    dialect.upsert(['id'], set),
  );
}

function headValues(state: ConversationState): SqlValue[] {
  const { head } = state;
  return [
    head.id,
    Buffer.from(head.appId),
    conversationKindCodes[head.kind],
    head.title,
    head.createdBy,
    head.createdAtMs,
    head.lastSeq,
    head.changeSeq,
    head.eventNo,
    head.membersEventNo,
    head.memberCount,
    head.isLarge,
    head.activityAtMs,
    head.movedAtMs,
    state.originKey,
    state.originHash,
  ];
}

function insertMessages(states: readonly ConversationState[]): Statement[] {
  const rows = states.flatMap((state) => state.appended.map(messageValues));
  return insertRows('Message', storedColumns, rows);
}

function messageValues({ message, payloadHash }: Appended): SqlValue[] {
  const { content } = message;
  if (content.kind === 'RECALLED') throw new Error('a message cannot be sent recalled');
  return [
    message.conversationId,
    message.seq,
    message.senderId,
    message.clientMessageId === null ? null : Buffer.from(message.clientMessageId),
    messageKindCodes[content.kind],
    contentText(content),
    message.createdAtMs,
    message.editedAtMs,
    message.recalledAtMs,
    null,
    message.changeSeq,
    message.replyToSeq,
    payloadHash,
  ];
}

function updateMessages(states: readonly ConversationState[]): Statement[] {
  return states.flatMap((state) => [...state.changed.values()].map(updateMessage));
}

function updateMessage({ content, ...message }: Message): Statement {
  return {
    text:
      'UPDATE Message SET content = ?, editedAtMs = ?, recalledAtMs = ?, recalledBy = ?, changeSeq = ?' +
      ' WHERE conversationId = ? AND seq = ?',
    params: [
      contentText(content),
      message.editedAtMs,
      message.recalledAtMs,
      content.kind === 'RECALLED' ? content.recalledBy : null,
      message.changeSeq,
      message.conversationId,
      message.seq,
    ],
  };
}

function insertChanges(states: readonly ConversationState[]): Statement[] {
  const rows = states.flatMap((state) =>
    state.changeLog.map(({ changeSeq, seq }) => [state.head.id, changeSeq, seq]),
  );
  return insertRows('MessageChange', ['conversationId', 'changeSeq', 'seq'], rows);
}

/** Most of a batch are members who wrote something: of them only what they have read moves on, which no index has. */
function writeMembers(sql: Sql, states: readonly ConversationState[]): Statement[] {
  const removals: Statement[] = [];
  const changed: SqlValue[][] = [];
  const readers: SqlValue[][] = [];
  for (const state of states) {
    for (const userId of new Set([...state.touchedMembers, ...state.readers])) {
      const member = state.membership(userId);
      if (!member) {
        removals.push({
          text: 'DELETE FROM Member WHERE conversationId = ? AND userId = ?',
          params: [state.head.id, userId],
        });
      } else (state.touchedMembers.has(userId) ? changed : readers).push(memberValues(member));
    }
  }
  const { dialect } = sql;
  const put = (rows: readonly SqlValue[][], replaced: readonly string[]): Statement[] => {
    const set = replaced.map((column) => `${column} = ${dialect.incoming(column)}`);
    // markRead takes no head lock: it may have moved readSeq on since it was loaded.
    set.push(`readSeq = ${dialect.greatest('Member.readSeq', dialect.incoming('readSeq'))}`);
    const tail = dialect.upsert(['conversationId', 'userId'], set.join(', '));
    return insertRows('Member', memberColumns, rows, tail);
  };
  const mutable = memberColumns.slice(2).filter((column) => column !== 'readSeq');
  return [...removals, ...put(changed, mutable), ...put(readers, [])];
}

function memberValues(member: Member): SqlValue[] {
  return [
    member.conversationId,
    member.userId,
    roleCodes[member.role],
    member.joinedAtMs,
    member.joinedSeq,
    member.joinedEventNo,
    member.readSeq,
    member.isListed,
  ];
}
