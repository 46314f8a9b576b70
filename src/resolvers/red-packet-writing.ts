import { requireViewer } from './context.ts';
import type { ClaimAnswer, SentRedPacket } from '../domain/red-packet/red-packet.ts';
import { builder } from './builder.ts';
import { idArgument } from './global-id.ts';
import { MessageType } from './message.ts';
import { RedPacketClaimType, RedPacketKindType, RedPacketType } from './red-packet.ts';

const ClaimStatusType = builder.enumType('ClaimStatus', {
  description: 'How a claim ended.',
  values: {
    CLAIMED: { description: 'The viewer took a share.' },
    ALREADY_CLAIMED: { description: 'The viewer had taken one before.' },
    EXHAUSTED: { description: 'All shares were taken.' },
    EXPIRED: { description: "The packet's time was over." },
  } as const,
});

const SendRedPacketInputType = builder.inputType('SendRedPacketInput', {
  description: 'A red packet to send.',
  fields: (t) => ({
    conversationId: t.id({ description: 'Where to.' }),
    clientMessageId: t.string({
      description: '1 to 64 characters, made by the client once per packet and kept over retries.',
    }),
    kind: t.field({
      type: RedPacketKindType,
      defaultValue: 'LUCKY',
      description: 'How it is split.',
    }),
    total: t.field({
      type: 'MinorUnits',
      description: 'At least one minor unit for each share. An EQUAL total must divide by count.',
    }),
    count: t.int({ description: 'How many shares; at most 100, unless the app says otherwise.' }),
    greeting: t.string({ required: false, description: 'At most 128 characters.' }),
    recipientId: t.id({
      required: false,
      description: 'Only this member may claim; count must be 1.',
    }),
  }),
});

const SendRedPacketPayload = builder.objectRef<SentRedPacket>('SendRedPacketPayload').implement({
  description: 'Answers `sendRedPacket`.',
  fields: (t) => ({
    message: t.expose('message', { type: MessageType, description: 'The message, as it is now.' }),
    redPacket: t.expose('redPacket', {
      type: RedPacketType,
      description: 'The packet, as it is now.',
    }),
    isDuplicate: t.exposeBoolean('isDuplicate', {
      description: 'Whether an earlier call with this clientMessageId had sent it already.',
    }),
  }),
});

const ClaimRedPacketPayload = builder.objectRef<ClaimAnswer>('ClaimRedPacketPayload').implement({
  description: 'Answers `claimRedPacket`.',
  fields: (t) => ({
    status: t.expose('status', { type: ClaimStatusType, description: 'How the claim ended.' }),
    claim: t.expose('claim', {
      type: RedPacketClaimType,
      nullable: true,
      description:
        "With CLAIMED the viewer's share; with ALREADY_CLAIMED that of the first time; else null.",
    }),
    creditPending: t.exposeBoolean('creditPending', {
      description:
        "The share is the viewer's, its wallet entry is still on its way (WalletChanged tells).",
    }),
    redPacket: t.expose('redPacket', {
      type: RedPacketType,
      description: 'The packet, as it is now.',
    }),
  }),
});

builder.mutationFields((t) => ({
  sendRedPacket: t.field({
    type: SendRedPacketPayload,
    description:
      "Debits the viewer's wallet and posts a message with RedPacketContent, both or neither. Idempotent like sendMessage.",
    args: { input: t.arg({ type: SendRedPacketInputType, description: 'The packet.' }) },
    resolve: async (_root, { input }, context) => {
      const viewer = requireViewer(context);
      const { rates, redPackets } = context.doors;
      const packet = {
        conversationId: idArgument('Conversation', input.conversationId, 'conversationId'),
        clientMessageId: input.clientMessageId,
        kind: input.kind,
        total: input.total,
        count: input.count,
        greeting: input.greeting ?? null,
        recipientId:
          input.recipientId == null ? null : idArgument('User', input.recipientId, 'recipientId'),
      };
      const key = String(viewer.userId);
      const sent = await rates.within('send', key, () => redPackets.send(viewer, packet));
      // A sender who has been removed since may not look it up, but sees what their retry answers.
      context.loaders.redPackets.prime(sent.redPacket.id, sent.redPacket);
      return sent;
    },
  }),
  claimRedPacket: t.field({
    type: ClaimRedPacketPayload,
    description:
      'At most one share per user per packet. Losing is an answer (status), not an error.',
    args: { redPacketId: t.arg.id({ description: 'The packet.' }) },
    resolve: async (_root, args, context) => {
      const viewer = requireViewer(context);
      const id = idArgument('RedPacket', args.redPacketId, 'redPacketId');
      return context.doors.redPackets.claim(viewer, id);
    },
  }),
}));
