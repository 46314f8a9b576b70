import { requireViewer, type Context } from './context.ts';
import type { RedPacket } from '../domain/red-packet/red-packet.ts';
import type { Session } from '../domain/session/session.ts';
import type { Message } from '../domain/timeline/timeline.ts';
import type { WalletEntry } from '../domain/wallet/wallet.ts';
import { builder } from './builder.ts';
import type { ConversationNode } from './conversation.ts';
import { decodeId } from './global-id.ts';
import type { UserNode } from './user.ts';

type AnyNode = UserNode | ConversationNode | Message | Session | RedPacket | WalletEntry;

/** Everything with a global id. */
export const NodeType = builder.interfaceRef<AnyNode>('Node').implement({
  description: 'Anything with a stable, opaque, globally unique id.',
  fields: (t) => ({
    id: t.id({
      description:
        'Opaque; its first letter tells the type. It never changes and is never used again.',
    }),
  }),
  resolveType: (node) => {
    if ('claimedCount' in node) return 'RedPacket';
    if ('entryNo' in node) return 'WalletEntry';
    if ('seq' in node) return 'Message';
    if ('deviceId' in node) return 'Session';
    return 'userId' in node ? 'User' : 'Conversation';
  },
});

builder.queryField('node', (t) =>
  t.field({
    type: NodeType,
    nullable: true,
    description:
      'Null where it does not exist or the viewer may not see it: the two look the same.',
    args: { id: t.arg.id({ description: 'The global id, as a field `id` gave it.' }) },
    resolve: (_root, { id }, context) => findNode(id, context),
  }),
);

async function findNode(text: string, context: Context): Promise<AnyNode | null> {
  const viewer = requireViewer(context);
  const id = decodeId(text);
  switch (id?.type) {
    case undefined:
      return null;
    case 'User': {
      const user = await context.loaders.users.load(id.id);
      return user?.appId === viewer.appId ? { userId: user.id, user } : null;
    }
    case 'Session':
      return context.loaders.sessions.load(id.id);
    case 'Conversation': {
      const membership = await context.loaders.memberships.load(id.id);
      return membership && { id: id.id, membership };
    }
    case 'RedPacket':
      return context.loaders.redPackets.load(id.id);
    case 'WalletEntry':
      return id.userId === viewer.userId ? context.doors.wallets.entry(viewer, id.entryNo) : null;
    case 'Message':
      return context.loaders.messages.load({ conversationId: id.conversationId, seq: id.seq });
  }
}
