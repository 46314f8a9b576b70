// mercurius, as its documentation sets it up, with its JIT on.
import Fastify, { type FastifyRequest } from 'fastify';
import mercurius from 'mercurius';
import { createResolvers, typeDefs, type RivalContext } from './api.ts';
import { openPrisma } from './prisma.ts';
import { userIdOf } from './viewer.ts';

const prisma = openPrisma(process.env['DATABASE_URL'] ?? '');
const { Query, Mutation, Message, Viewer } = createResolvers(prisma);
const app = Fastify();

await app.register(mercurius, {
  schema: typeDefs.replace(/type Subscription \{[^}]*\}/, ''),
  resolvers: { Query, Mutation, Message, Viewer } as never,
  jit: 1,
  context: async (request: FastifyRequest): Promise<RivalContext> => ({
    userId: await userIdOf(request.headers.authorization),
  }),
});

app.get('/health', async () => 'ready');

await app.listen({ port: Number(process.env['PORT']), host: '127.0.0.1' });
process.once('SIGTERM', () => process.exit(0));
