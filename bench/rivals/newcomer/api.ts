// The API that both rivals serve: type definitions and resolvers, as a quick start has them.
import { createPubSub } from 'graphql-yoga';
import type { PrismaClient } from './generated/mysql/client.ts';

export const typeDefs = /* GraphQL */ `
  type User {
    id: ID!
    username: String!
    displayName: String!
  }
  type Message {
    id: ID!
    conversationId: ID!
    seq: Int!
    sender: User!
    clientMessageId: String!
    text: String!
    createdAt: String!
  }
  type Viewer {
    user: User!
  }
  type Query {
    viewer: Viewer!
    messages(conversationId: ID!, before: Int, take: Int! = 50): [Message!]!
  }
  type Mutation {
    sendMessage(conversationId: ID!, clientMessageId: String!, text: String!): Message!
    setTyping(conversationId: ID!, isTyping: Boolean!): ID!
  }
  type Subscription {
    messageAdded(conversationId: ID!): Message!
  }
`;

/** Who asks; null: nobody. */
export interface RivalContext {
  readonly userId: number | null;
}

interface SendArguments {
  conversationId: string;
  clientMessageId: string;
  text: string;
}

// The default wait of 2 s would fail most sends of 512 senders: a rival that fails cannot be compared with.
const patient = { maxWait: 60_000, timeout: 60_000 };

export function createResolvers(prisma: PrismaClient) {
  const pubSub = createPubSub<{
    messageAdded: [conversationId: string, message: object];
    typing: [conversationId: string, typing: { userId: number; isTyping: boolean }];
  }>();
  return {
    Message: { createdAt: ({ createdAt }: { createdAt: Date }) => createdAt.toISOString() },
    Viewer: { user: (viewer: { id: number }) => viewer },
    Query: {
      viewer: (_root: unknown, _args: unknown, context: RivalContext) => ({
        id: signedIn(context),
      }),
      messages: async (
        _root: unknown,
        args: { conversationId: string; before?: number | null; take: number },
        context: RivalContext,
      ) => {
        const conversationId = Number(args.conversationId);
        await enter(prisma, conversationId, signedIn(context));
        const messages = await prisma.message.findMany({
          where: { conversationId, ...(args.before == null ? {} : { seq: { lt: args.before } }) },
          orderBy: { seq: 'desc' },
          take: args.take,
          include: { sender: true },
        });
        return messages.reverse();
      },
    },
    Mutation: {
      sendMessage: async (_root: unknown, args: SendArguments, context: RivalContext) => {
        const conversationId = Number(args.conversationId);
        const senderId = signedIn(context);
        const message = await prisma.$transaction(async (tx) => {
          const { lastSeq } = await tx.conversation.update({
            where: { id: conversationId },
            data: { lastSeq: { increment: 1 } },
          });
          const { id } = await tx.message.create({
            data: {
              conversationId,
              seq: lastSeq,
              senderId,
              clientMessageId: args.clientMessageId,
              text: args.text,
            },
          });
          return tx.message.findUniqueOrThrow({ where: { id }, include: { sender: true } });
        }, patient);
        pubSub.publish('messageAdded', args.conversationId, message);
        return message;
      },
      setTyping: async (
        _root: unknown,
        args: { conversationId: string; isTyping: boolean },
        context: RivalContext,
      ) => {
        const userId = signedIn(context);
        await enter(prisma, Number(args.conversationId), userId);
        pubSub.publish('typing', args.conversationId, { userId, isTyping: args.isTyping });
        return args.conversationId;
      },
    },
    Subscription: {
      messageAdded: {
        subscribe: (_root: unknown, args: { conversationId: string }) =>
          pubSub.subscribe('messageAdded', args.conversationId),
        resolve: (message: object) => message,
      },
    },
  };
}

function signedIn({ userId }: RivalContext): number {
  if (userId === null) throw new Error('Sign in first.');
  return userId;
}

async function enter(prisma: PrismaClient, conversationId: number, userId: number): Promise<void> {
  const member = await prisma.member.findUnique({
    where: { conversationId_userId: { conversationId, userId } },
  });
  if (!member) throw new Error('There is no such conversation.');
}
