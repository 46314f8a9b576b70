import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client/core';
import { CombinedGraphQLErrors } from '@apollo/client/errors';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { CombinedError, createClient, fetchExchange, subscriptionExchange } from '@urql/core';
import { getOperationAST, print, type DocumentNode, type GraphQLFormattedError } from 'graphql';
import { createClient as createWsClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import { possibleTypes } from '../../client/generated/possible-types.ts';
import { TestFault, type Reachable } from './clients.ts';
import { Recording, type Recorder } from './recording.ts';

type Variables = Record<string, unknown>;

// As a browser has it: Apollo's link asks for it, and this Node has none of its own.
if (!('WebSocket' in globalThis)) Object.assign(globalThis, { WebSocket });

/** A GraphQL client as an application has it, wired as its documentation says. */
export interface Front {
  /** A query or mutation. @throws {TestFault} */
  ask<Data, V extends Variables>(document: TypedDocumentNode<Data, V>, given: V): Promise<Data>;
  subscribe<Data, V extends Variables>(
    document: TypedDocumentNode<Data, V>,
    given: V,
  ): Recording<Data>;
  close(): Promise<void>;
}

/** @param ws what its subscriptions go over; without it, a stock client of graphql-ws. */
export type Open = (server: Reachable, accessToken?: string, ws?: Client) => Front;

/** graphql-ws alone: everything over one socket. */
export const openGraphqlWs: Open = (
  server,
  accessToken,
  client = wsClient(server, accessToken),
) => {
  const subscribe: Front['subscribe'] = (document, given) =>
    new Recording((recorder) =>
      client.subscribe(
        { query: print(document), variables: given },
        {
          next: ({ data, errors }) => {
            if (errors) recorder.error(errors);
            if (data) recorder.event(data as never);
          },
          ...endsOf(recorder, (error) => (Array.isArray(error) ? error : null)),
        },
      ),
    );
  return {
    subscribe,
    async ask(document, given) {
      const answer = subscribe(document, given);
      await answer.waitForEnd();
      return answered(answer.events[0], answer.errors);
    },
    close: async () => client.dispose(),
  };
};

/** urql: fetch, and subscriptions over graphql-ws. */
export const openUrql: Open = (server, accessToken, ws = wsClient(server, accessToken)) => {
  const client = createClient({
    url: `${server.url}/graphql`,
    preferGetMethod: false,
    fetchOptions: { headers: bearer(accessToken) },
    exchanges: [
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = '', variables }) => ({
          subscribe: (sink) => ({
            unsubscribe: ws.subscribe({ query, variables: variables as Variables }, sink as never),
          }),
        }),
      }),
    ],
  });
  return {
    async ask(document, given) {
      const isMutation = getOperationAST(document)?.operation === 'mutation';
      const run = isMutation ? client.mutation(document, given) : client.query(document, given);
      const { data, error } = await run.toPromise();
      return answered(data, error?.graphQLErrors.map(formatted));
    },
    subscribe: (document, given) =>
      new Recording((recorder) => {
        const { unsubscribe } = client.subscription(document, given).subscribe((result) => {
          if (result.data) recorder.event(result.data);
          if (!(result.error instanceof CombinedError)) return;
          recorder.error(result.error.graphQLErrors.map(formatted));
          recorder.end('error');
        });
        return unsubscribe;
      }),
    close: async () => ws.dispose(),
  };
};

/** Apollo Client with its own cache: HTTP, and subscriptions over graphql-ws. */
export const openApollo: Open = (server, accessToken, ws = wsClient(server, accessToken)) => {
  const isSubscription: Parameters<typeof ApolloLink.split>[0] = ({ operationType }) =>
    operationType === 'subscription';
  const client = new ApolloClient({
    cache: new InMemoryCache({
      possibleTypes,
      typePolicies: {
        Message: { fields: { content: { merge: false } } },
        Subscription: { fields: { inbox: { merge: false }, conversation: { merge: false } } },
      },
    }),
    link: ApolloLink.split(
      isSubscription,
      new GraphQLWsLink(ws),
      new HttpLink({ uri: `${server.url}/graphql`, headers: bearer(accessToken) }),
    ),
  });
  return {
    async ask<Data, V extends Variables>(document: TypedDocumentNode<Data, V>, given: V) {
      const isMutation = getOperationAST(document)?.operation === 'mutation';
      const variables: Variables = given;
      const query: DocumentNode = document;
      const answer = isMutation
        ? client.mutate({ mutation: query, variables })
        : client.query({ query, variables, fetchPolicy: 'network-only' });
      const { data } = await answer.catch((error: unknown) => {
        throw CombinedGraphQLErrors.is(error) ? new TestFault(error.errors) : error;
      });
      return answered(data as Data | undefined);
    },
    subscribe: <Data, V extends Variables>(document: TypedDocumentNode<Data, V>, given: V) =>
      new Recording<Data>((recorder) => {
        const ends = endsOf(recorder, (error) =>
          CombinedGraphQLErrors.is(error) ? error.errors : null,
        );
        const subscription = client
          .subscribe<Data>({ query: document, variables: given })
          .subscribe({
            next: ({ data, error }) => {
              if (data) recorder.event(data);
              if (error) ends.error(error);
            },
            ...ends,
          });
        return () => subscription.unsubscribe();
      }),
    async close() {
      client.stop();
      await ws.dispose();
    },
  };
};

function wsClient(server: Reachable, accessToken: string | undefined): Client {
  return createWsClient({
    url: `${server.url.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    ...(accessToken === undefined ? {} : { connectionParams: { accessToken } }),
  });
}

/** urql's own class of errors has no form to send. */
function formatted({ message, extensions }: CombinedError['graphQLErrors'][number]) {
  return { message, extensions } satisfies GraphQLFormattedError;
}

function bearer(accessToken: string | undefined): Record<string, string> {
  return accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` };
}

function answered<Data>(
  data: Data | null | undefined,
  errors: readonly GraphQLFormattedError[] = [],
): Data {
  if (errors.length > 0) throw new TestFault(errors);
  if (data === null || data === undefined) throw new Error('no answer');
  return data;
}

function endsOf<Data>(
  recorder: Recorder<Data>,
  errorsOf: (error: unknown) => readonly GraphQLFormattedError[] | null,
): { error(error: unknown): void; complete(): void } {
  return {
    error(error) {
      const errors = errorsOf(error);
      if (errors) recorder.error(errors);
      recorder.end(errors ? 'error' : 'closed');
    },
    complete: () => recorder.end('complete'),
  };
}
