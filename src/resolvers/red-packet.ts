import { requireViewer, type Context } from './context.ts';
import type { Claim, RedPacket } from '../domain/red-packet/red-packet.ts';
import type { RedPacketContent } from '../domain/timeline/timeline.ts';
import { Fault } from '../lib/fault.ts';
import { builder, notes } from './builder.ts';
import { ConversationType } from './conversation.ts';
import { decodeIdOf, encodeId } from './global-id.ts';
import { NodeType } from './node.ts';
import { UserType } from './user.ts';

export const RedPacketKindType = builder.enumType('RedPacketKind', {
  description: 'How a red packet is split.',
  values: {
    LUCKY: { description: 'Random shares.' },
    EQUAL: { description: 'Equal shares.' },
  } as const,
});

const RedPacketStateType = builder.enumType('RedPacketState', {
  description: 'What has become of a red packet.',
  values: {
    OPEN: { description: 'There are shares to claim.' },
    EXHAUSTED: { description: 'Every share is claimed.' },
    EXPIRED: { description: 'Its time was over first: what was left went back to the sender.' },
  } as const,
});

/** A share that somebody took. */
export const RedPacketClaimType = builder.objectRef<Claim>('RedPacketClaim').implement({
  description: 'A share of a red packet that somebody took.',
  fields: (t) => ({
    user: t.field({
      type: UserType,
      description: 'Who took it.',
      resolve: ({ userId }) => ({ userId }),
    }),
    amount: t.expose('amount', { type: 'MinorUnits', description: 'What it was worth.' }),
    claimedAt: t.expose('claimedAtMs', { type: 'DateTime', description: 'When it was taken.' }),
    isBest: t.exposeBoolean('isBest', {
      description:
        'Largest share of a LUCKY packet, the earliest on a tie; false until the packet is exhausted or expired.',
    }),
  }),
});

/** Money in a conversation, for who comes first. */
export const RedPacketType = builder.objectRef<RedPacket>('RedPacket').implement({
  description:
    'Money that a member put into a conversation, for who comes first. Those see it who see its message; a share is shown once it is claimed.',
  interfaces: [NodeType],
  fields: (t) => ({
    id: t.id({
      description: 'Opaque; begins with `r_`.',
      resolve: ({ id }) => encodeId('RedPacket', id),
    }),
    conversation: t.field({
      type: ConversationType,
      description: 'Where its message stands.',
      resolve: ({ conversationId }) => ({ id: conversationId }),
    }),
    sender: t.field({
      type: UserType,
      description: 'Whose money it was.',
      resolve: ({ senderId }) => ({ userId: senderId }),
    }),
    kind: t.expose('kind', { type: RedPacketKindType, description: 'How it is split.' }),
    state: t.expose('state', { type: RedPacketStateType, description: 'What has become of it.' }),
    greeting: t.exposeString('greeting', { description: 'As its sender wrote it; may be empty.' }),
    total: t.expose('total', { type: 'MinorUnits', description: 'What was put into it.' }),
    count: t.exposeInt('count', { description: 'How many shares it has.' }),
    claimedCount: t.exposeInt('claimedCount', { description: 'How many of them are taken.' }),
    claimedTotal: t.expose('claimedTotal', {
      type: 'MinorUnits',
      description: 'What these were worth.',
    }),
    recipient: t.field({
      type: UserType,
      nullable: true,
      description: 'Who alone may claim; null where any member may.',
      resolve: ({ recipientId }) => (recipientId === null ? null : { userId: recipientId }),
    }),
    claims: t.field({
      type: [RedPacketClaimType],
      description: 'Shares taken so far, first come first.',
      extensions: notes({ cost: 50 }),
      resolve: async (packet, _args, context) => [
        ...(await context.loaders.redPacketClaims.load(packet)),
      ],
    }),
    myClaim: t.field({
      type: RedPacketClaimType,
      nullable: true,
      description:
        'The share that the viewer took; null: none. It differs from viewer to viewer, so it is dear in a subscription.',
      extensions: notes({ perViewer: true }),
      resolve: (packet, _args, context) => {
        requireViewer(context);
        return context.loaders.ownClaims.load(packet);
      },
    }),
    createdAt: t.expose('createdAtMs', { type: 'DateTime', description: 'When it was sent.' }),
    expiresAt: t.expose('expiresAtMs', {
      type: 'DateTime',
      description:
        '24 h after creation unless the app says otherwise; what is left then goes back to the sender.',
    }),
    refundedTotal: t.expose('refundedTotal', {
      type: 'MinorUnits',
      description: 'What went back to the sender.',
    }),
  }),
});

/** What a message says that carries a red packet. */
export const RedPacketContentType = builder
  .objectRef<RedPacketContent>('RedPacketContent')
  .implement({
    description: 'A red packet. It cannot be edited or recalled.',
    fields: (t) => ({
      redPacket: t.field({
        type: RedPacketType,
        description: 'As it is now.',
        resolve: ({ redPacketId }, _args, context) => seen(redPacketId, context),
      }),
    }),
  });

builder.queryField('redPacket', (t) =>
  t.field({
    type: RedPacketType,
    nullable: true,
    description:
      'Null where it does not exist or the viewer may not see its message: the two look the same.',
    args: { id: t.arg.id({ description: 'Its global id.' }) },
    resolve: (_root, args, context) => {
      requireViewer(context);
      const id = decodeIdOf('RedPacket', args.id);
      return id === null ? null : context.loaders.redPackets.load(id);
    },
  }),
);

/** Of a message that the viewer saw a moment ago: they may have left since. */
async function seen(id: bigint, context: Context): Promise<RedPacket> {
  const packet = await context.loaders.redPackets.load(id);
  if (packet) return packet;
  throw new Fault('NOT_FOUND', 'There is no such red packet.');
}
