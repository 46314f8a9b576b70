import { Fault, type FaultCode } from '../../lib/fault.ts';
import { pairPages, pairsTable } from '../../storage/pairs.ts';
import type { Pairs } from '../../storage/pairs.ts';
import { marks } from '../../storage/sql.ts';
import type { Sql, SqlReader, SqlTransaction, SqlValue } from '../../storage/sql.ts';
import type { Member } from './model.ts';
import {
  columnsOf,
  headColumns,
  memberColumns,
  memberOf,
  messageColumns,
  messageOf,
  roleCodes,
} from './rows.ts';
import type { HeadRow, MemberRow, MessageRow } from './rows.ts';
import type { Appended } from './state.ts';

/** A head with what only creating it needs. */
export interface FullHeadRow extends HeadRow {
  readonly originKey: Uint8Array;
  readonly originHash: Uint8Array | null;
}
type StoredRow = MessageRow & { readonly payloadHash: Uint8Array | null };

/** In the order in which the writer gives their values. */
export const fullHeadColumns = [...headColumns, 'originKey', 'originHash'] as const;
export const storedColumns = [...messageColumns, 'payloadHash'] as const;
/** Locks heads and reads them; those that another transaction holds are not among the answers. */
export async function lockHeads(
  tx: SqlTransaction,
  sql: Sql,
  by: 'id' | 'originKey',
  keys: readonly SqlValue[],
): Promise<FullHeadRow[]> {
  if (keys.length === 0) return [];
  return tx.query<FullHeadRow>(
    `SELECT ${fullHeadColumns.join(', ')} FROM Conversation WHERE ${by} IN (${marks(keys.length)})` +
      ` ORDER BY id${sql.dialect.forUpdateSkipLocked}`,
    keys,
  );
}

/** Which of these heads are there at all, held by another transaction or not. */
export async function headsThere(
  tx: SqlTransaction,
  keys: { readonly ids: readonly bigint[]; readonly originKeys: readonly Uint8Array[] },
): Promise<{ id: bigint; originKey: Uint8Array }[]> {
  const conditions: string[] = [];
  if (keys.ids.length > 0) conditions.push(`id IN (${marks(keys.ids.length)})`);
  if (keys.originKeys.length > 0)
    conditions.push(`originKey IN (${marks(keys.originKeys.length)})`);
  if (conditions.length === 0) return [];
  return tx.query(`SELECT id, originKey FROM Conversation WHERE ${conditions.join(' OR ')}`, [
    ...keys.ids,
    ...keys.originKeys,
  ]);
}

export async function loadMembers(tx: SqlTransaction, pairs: Pairs<bigint>): Promise<Member[]> {
  const columns = columnsOf('m', memberColumns);
  const pages = pairPages(pairs).map((page) => {
    const { text, params } = pairsTable('Member m', ['conversationId', 'userId'], page);
    return tx.query<MemberRow>(`SELECT ${columns} FROM ${text}`, params);
  });
  return (await Promise.all(pages)).flat().map(memberOf);
}

export async function loadAllMembers(
  tx: SqlTransaction,
  conversationId: bigint,
): Promise<Member[]> {
  const text = `SELECT ${memberColumns.join(', ')} FROM Member WHERE conversationId = ?`;
  return (await tx.query<MemberRow>(text, [conversationId])).map(memberOf);
}

export async function loadMessages(tx: SqlTransaction, pairs: Pairs<number>): Promise<Appended[]> {
  const columns = columnsOf('m', storedColumns);
  const pages = pairPages(pairs).map((page) => {
    const { text, params } = pairsTable('Message m', ['conversationId', 'seq'], page);
    return tx.query<StoredRow>(`SELECT ${columns} FROM ${text}`, params);
  });
  return (await Promise.all(pages)).flat().map(storedOf);
}

/**
 * Who inherits a group from its owner: an admin before a member, then the lowest joinedSeq, then the lowest id. An index
 * begins with that one, whatever the size of the group.
 */
export async function loadHeir(tx: SqlTransaction, conversationId: bigint): Promise<bigint | null> {
  const firsts = await Promise.all(
    [roleCodes.ADMIN, roleCodes.MEMBER].map((role) =>
      tx.query<{ userId: bigint }>(
        'SELECT userId FROM Member WHERE conversationId = ? AND role = ? ORDER BY joinedSeq, userId LIMIT 1',
        [conversationId, role],
      ),
    ),
  );
  return firsts.flat()[0]?.userId ?? null;
}

/** Messages by the keys that their senders gave them. */
export async function loadOriginals(
  reader: SqlReader,
  sends: readonly { conversationId: bigint; actorId: bigint; clientMessageId: string }[],
): Promise<Appended[]> {
  const terms = sends.map(() => '(conversationId = ? AND senderId = ? AND clientMessageId = ?)');
  const rows = await reader.query<StoredRow>(
    `SELECT ${storedColumns.join(', ')} FROM Message WHERE ${terms.join(' OR ')}`,
    sends.flatMap((send) => [send.conversationId, send.actorId, Buffer.from(send.clientMessageId)]),
  );
  return rows.map(storedOf);
}

/** Those of these red packets that were refused, and why. */
export async function loadRefusals(
  tx: SqlTransaction,
  ids: readonly bigint[],
): Promise<{ id: bigint; conversationId: bigint; fault: Fault }[]> {
  const rows = await tx.query<RefusalRow>(
    'SELECT id, conversationId, faultCode, faultMessage FROM RedPacket' +
      ` WHERE id IN (${marks(ids.length)}) AND seq IS NULL`,
    ids,
  );
  return rows.map(({ id, conversationId, faultCode, faultMessage }) => ({
    id,
    conversationId,
    fault: new Fault(faultCode as FaultCode, faultMessage),
  }));
}

interface RefusalRow {
  readonly id: bigint;
  readonly conversationId: bigint;
  readonly faultCode: string;
  readonly faultMessage: string;
}

function storedOf(row: StoredRow): Appended {
  return { message: messageOf(row), payloadHash: row.payloadHash };
}
