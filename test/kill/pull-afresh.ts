import {
  ConversationListDocument,
  HistoryDocument,
  MembersDocument,
  MessageChangesDocument,
  type MessagePartsFragment,
} from '../../client/generated/documents.ts';
import type { TestUser } from '../support/clients.ts';
import type { Pulled, Shown } from '../support/history.ts';
import { conversationId, numericId, shownOf } from './inbox-client.ts';

/** Where a client's copy of a conversation ends. */
export interface Copy {
  readonly joinedSeq: number;
  readonly lastSeq: number;
  readonly changeSeq: number;
}

const pageMessages = 200;

/**
 * What a client asks for when its inbox was reset: the conversations, and of each what its copy lacks.
 * @throws where anything of it fails, or its memberships changed meanwhile: it is to be asked again.
 */
export async function pullAfresh(
  user: TestUser,
  copies: ReadonlyMap<string, Copy>,
): Promise<Pulled[]> {
  const listed = await listOf(user);
  const pulled: Pulled[] = [];
  for (const { id, me, lastSeq, changeSeq } of listed) {
    const conversation = conversationId(id);
    const known = copies.get(conversation);
    const isKnown = known !== undefined && known.joinedSeq >= me.joinedSeq;
    const copy = isKnown ? known : { lastSeq: me.joinedSeq - 1, changeSeq: 0 };
    const added = await historyAfter(user, id, copy.lastSeq);
    const changes = await changesAfter(user, id, Math.min(copy.changeSeq, changeSeq));
    const ends = { joinedSeq: me.joinedSeq, lastSeq: Math.max(lastSeq, copy.lastSeq) };
    pulled.push({
      conversation,
      joinedSeq: me.joinedSeq,
      ...together(added, changes.messages, ends),
      changeSeq: Math.max(changeSeq, changes.endChangeSeq),
      reads: await readsOf(user, id),
    });
  }
  const joined = (list: typeof listed): string =>
    list
      .map(({ id, me }) => `${id} ${me.joinedSeq}`)
      .sort()
      .join();
  if (joined(listed) !== joined(await listOf(user))) throw new Error('its memberships changed');
  return pulled;
}

/**
 * What a copy becomes by what was added, and by what was changed, which was asked for later: changed messages that were not
 * there yet when those that were added were asked for come by the stream, with those between.
 */
export function together(
  added: readonly Shown[],
  changed: readonly Shown[],
  { joinedSeq, lastSeq }: Pick<Copy, 'joinedSeq' | 'lastSeq'>,
): Pick<Pulled, 'lastSeq' | 'messages'> {
  const end = Math.max(lastSeq, ...added.map(({ seq }) => seq));
  const messages = new Map<number, Shown>();
  for (const message of [...added, ...changed]) messages.set(message.seq, message);
  const visible = [...messages.values()].filter(({ seq }) => seq >= joinedSeq && seq <= end);
  return { lastSeq: end, messages: visible };
}

async function listOf(user: TestUser) {
  const { viewer } = await user.query(ConversationListDocument, { first: 50 });
  return viewer.conversations.edges.map(({ node }) => node);
}

async function historyAfter(user: TestUser, id: string, seq: number): Promise<Shown[]> {
  const messages: MessagePartsFragment[] = [];
  for (let after = String(seq); ;) {
    const page = { conversationId: id, first: pageMessages, after, last: null, before: null };
    const { conversation } = await user.query(HistoryDocument, page);
    if (!conversation) throw new Error(`no member of ${id} any more`);
    const { edges, pageInfo } = conversation.messages;
    messages.push(...edges.map(({ node }) => node));
    if (!pageInfo.hasNextPage || pageInfo.endCursor == null) return messages.map(shownOf);
    after = pageInfo.endCursor;
  }
}

async function changesAfter(user: TestUser, id: string, changeSeq: number) {
  const messages: MessagePartsFragment[] = [];
  for (let after = changeSeq; ;) {
    const page = { conversationId: id, after, first: pageMessages };
    const { conversation } = await user.query(MessageChangesDocument, page);
    if (!conversation) throw new Error(`no member of ${id} any more`);
    const { messages: changed, endChangeSeq, hasMore } = conversation.messageChanges;
    messages.push(...changed);
    if (!hasMore) return { messages: messages.map(shownOf), endChangeSeq };
    after = endChangeSeq;
  }
}

async function readsOf(user: TestUser, id: string): Promise<Pulled['reads']> {
  const { conversation } = await user.query(MembersDocument, { conversationId: id, first: 50 });
  if (!conversation) throw new Error(`no member of ${id} any more`);
  return conversation.members.edges.map(({ node }) => {
    const member = String(numericId('User', node.user.id));
    return { user: member, readSeq: node.readSeq };
  });
}
