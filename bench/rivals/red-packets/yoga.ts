// Stock Yoga with graphql-ws, as Yoga's documentation wires them.
import { createServer, type IncomingMessage } from 'node:http';
import { createSchema, createYoga } from 'graphql-yoga';
import { useServer } from 'graphql-ws/use/ws';
import type { ExecutionArgs } from 'graphql';
import { WebSocketServer } from 'ws';
import { createResolvers, typeDefs, type RivalContext } from './api.ts';
import { openPrisma } from './prisma.ts';
import { userIdOf } from '../newcomer/viewer.ts';

interface Extra {
  request: IncomingMessage;
  userId?: number | null;
}
interface Given {
  req?: IncomingMessage;
  extra?: Extra;
}
interface Enveloped {
  execute: (args: ExecutionArgs) => never;
  subscribe: (args: ExecutionArgs) => never;
}

const prisma = openPrisma(process.env['DATABASE_URL'] ?? '');

const yoga = createYoga<Given>({
  schema: createSchema<Given & RivalContext>({ typeDefs, resolvers: createResolvers(prisma) }),
  context: async ({ req, extra }): Promise<RivalContext> => ({
    // A socket was signed in when it opened.
    userId: extra ? (extra.userId ?? null) : await userIdOf(req?.headers.authorization),
  }),
  logging: 'warn',
});

const server = createServer((request, response) => {
  void yoga(request, response, { req: request });
});

const sockets = new WebSocketServer({ server, path: yoga.graphqlEndpoint });

useServer<{ accessToken?: string }, Extra>(
  {
    onConnect: async ({ extra, connectionParams }) => {
      extra.userId = await userIdOf(`Bearer ${connectionParams?.accessToken ?? ''}`);
    },
    execute: (args) => (args.rootValue as Enveloped).execute(args),
    subscribe: (args) => (args.rootValue as Enveloped).subscribe(args),
    onSubscribe: async (context, _id, params) => {
      const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
        ...context,
        req: context.extra.request,
        params,
      });
      const args = {
        schema,
        operationName: params.operationName,
        document: parse(params.query),
        variableValues: params.variables,
        contextValue: await contextFactory(),
        rootValue: { execute, subscribe },
      };
      const errors = validate(args.schema, args.document);
      return errors.length > 0 ? errors : args;
    },
  },
  sockets,
);

server.listen(Number(process.env['PORT']), '127.0.0.1');
process.once('SIGTERM', () => process.exit(0));
