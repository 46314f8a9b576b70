import { ConversationListDocument } from '../../client/generated/documents.ts';
import type { TestUser } from '../support/clients.ts';
import type { Store } from '../support/history.ts';
import { conversationId, type InboxClient } from './inbox-client.ts';
import { untilAvailable } from './settle-in.ts';

/** A store with what the API answers beside: of each user and conversation the unread messages. */
export async function withUnread(store: Store, clients: readonly InboxClient[]): Promise<Store> {
  const counts = new Map<string, number>();
  for (const { user, userId } of clients) {
    for (const [conversation, count] of await unreadOf(user)) {
      counts.set(`${userId} ${conversation}`, count);
    }
  }
  const conversations = store.conversations.map((conversation) => ({
    ...conversation,
    members: conversation.members.map((member) => ({
      ...member,
      unreadCount: counts.get(`${member.user} ${conversation.id}`) ?? null,
    })),
  }));
  return { ...store, conversations };
}

async function unreadOf(user: TestUser): Promise<[conversation: string, count: number][]> {
  const { viewer } = await untilAvailable(() =>
    user.query(ConversationListDocument, { first: 50 }),
  );
  const counts = viewer.conversations.edges.map(({ node }): [string, number] => [
    conversationId(node.id),
    node.me.unreadCount ?? 0,
  ]);
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  if (total !== viewer.unreadCount) {
    throw new Error(
      `${user.username}: ${viewer.unreadCount} unread in all, by conversation ${total}`,
    );
  }
  return counts;
}
