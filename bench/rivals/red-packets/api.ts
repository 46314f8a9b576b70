// Red packets as a quick start has them: a transaction per claim that locks the packet's row.
import { randomInt } from 'node:crypto';
import type { PrismaClient } from './generated/mysql/client.ts';

export const typeDefs = /* GraphQL */ `
  enum ClaimStatus {
    CLAIMED
    ALREADY_CLAIMED
    EXHAUSTED
  }
  type RedPacket {
    id: ID!
    count: Int!
    claimedCount: Int!
  }
  type RedPacketClaim {
    amount: Int!
  }
  type ClaimRedPacketPayload {
    status: ClaimStatus!
    claim: RedPacketClaim
    redPacket: RedPacket!
  }
  type Query {
    balance: Int!
  }
  type Mutation {
    claimRedPacket(redPacketId: ID!): ClaimRedPacketPayload!
  }
`;

/** Who asks; null: nobody. */
export interface RivalContext {
  readonly userId: number | null;
}

interface PacketRow {
  id: number;
  total: bigint;
  count: number;
  claimedCount: number;
  claimedTotal: bigint;
}

// The default wait of 2 s would fail most claims of 2,000 claimers: a rival that fails cannot be compared with.
const patient = { maxWait: 60_000, timeout: 60_000 };

export function createResolvers(prisma: PrismaClient) {
  return {
    RedPacketClaim: { amount: ({ amount }: { amount: bigint }) => Number(amount) },
    Query: {
      balance: async (_root: unknown, _args: unknown, context: RivalContext) => {
        const { balance } = await prisma.user.findUniqueOrThrow({
          where: { id: signedIn(context) },
        });
        return Number(balance);
      },
    },
    Mutation: {
      claimRedPacket: (_root: unknown, args: { redPacketId: string }, context: RivalContext) => {
        const userId = signedIn(context);
        const redPacketId = Number(args.redPacketId);
        return prisma.$transaction(async (tx) => {
          const [packet] = await tx.$queryRaw<PacketRow[]>`
            SELECT id, total, count, claimedCount, claimedTotal
            FROM RedPacket WHERE id = ${redPacketId} FOR UPDATE`;
          if (!packet) throw new Error('There is no such red packet.');
          const before = await tx.claim.findUnique({
            where: { redPacketId_userId: { redPacketId, userId } },
          });
          if (before) return { status: 'ALREADY_CLAIMED', claim: before, redPacket: packet };
          if (packet.claimedCount === packet.count) {
            return { status: 'EXHAUSTED', claim: null, redPacket: packet };
          }
          const amount = nextShare(packet);
          const claim = await tx.claim.create({ data: { redPacketId, userId, amount } });
          const redPacket = await tx.redPacket.update({
            where: { id: redPacketId },
            data: { claimedCount: { increment: 1 }, claimedTotal: { increment: amount } },
          });
          await tx.user.update({
            where: { id: userId },
            data: { balance: { increment: amount } },
          });
          await tx.walletEntry.create({ data: { userId, amount, redPacketId } });
          return { status: 'CLAIMED', claim, redPacket };
        }, patient);
      },
    },
  };
}

/** The double mean of what is left, drawn as it is claimed. */
function nextShare({ total, count, claimedCount, claimedTotal }: PacketRow): bigint {
  const left = total - claimedTotal;
  const sharesLeft = BigInt(count - claimedCount);
  if (sharesLeft === 1n) return left;
  return BigInt(randomInt(1, Number((2n * left) / sharesLeft)));
}

function signedIn({ userId }: RivalContext): number {
  if (userId === null) throw new Error('Sign in first.');
  return userId;
}
