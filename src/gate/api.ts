import {
  GraphQLError,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLFormattedError,
  type GraphQLSchema,
} from 'graphql';
import { Fault } from '../lib/fault.ts';
import type { Authority } from '../domain/app/app.ts';
import type { Viewer } from '../domain/session/session.ts';
import type { Connection } from './connection.ts';

/** What a gate serves: the same over HTTP, server-sent events and sockets. */
export interface Api {
  readonly schema: GraphQLSchema;
  /**
   * Parses, validates and measures a document, where it has not been before.
   * @returns its errors, at least one, where it is refused; those of `mayRead` where it had to be read, and may not.
   */
  prepare(text: string, mayRead: MayRead): Prepared;
  /**
   * A fresh context for one operation, or one event of a subscription.
   * @param viewer null: anonymous.
   * @param authFailure why a token that was given makes nobody a viewer.
   * @param address whose the request counts for; not needed for events.
   * @param authority of the server key that came with a request, in place of an access token.
   */
  contextFor(
    viewer: Viewer | null,
    authFailure?: AuthFailure | null,
    address?: string,
    authority?: Authority | null,
  ): object;
  /** Errors as the client may see them: bugs masked and logged, each with a code of the closed table. */
  present(errors: readonly GraphQLError[]): readonly GraphQLFormattedError[];
}

export type AuthFailure = 'FORGED' | 'EXPIRED' | 'ENDED';

/** Asked before a document is read: null, or why it may not be. */
export type MayRead = () => readonly GraphQLError[] | null;

export type Prepared = {
  /** How many fields it may show. */
  readonly shows?: number;
} & (
  | { readonly document: DocumentNode; readonly errors?: undefined }
  | { readonly errors: readonly GraphQLError[]; readonly document?: undefined }
);

/** A subscription that begins on a socket: parsed, valid, within the limits. */
export interface Subscribing {
  readonly connection: Connection;
  /** The operation's id on its connection: what its frames carry. */
  readonly operationId: string;
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operationName: string | undefined;
  /** As the client gave them: not coerced yet. */
  readonly variables: Readonly<Record<string, unknown>> | undefined;
  readonly viewer: Viewer | null;
  readonly contextValue: object;
}

/**
 * Executes subscriptions once for many subscribers and writes their `next` frames itself, by `connection.send`.
 *
 * `adopt` answers null where the subscription is none of its kind: the gate then executes it for this subscriber
 * alone. Errors refuse it (an `error` message). Else it answers a **parked iterator**: its `next()` stays pending while
 * the engine writes frames; it ends (`done`) to complete the subscription, or throws to end it with an error; its
 * `return()` is called when the client completes, or the connection takes no more events, and must end it at once.
 * The engine must not write a frame before the call that returned the iterator has resolved, nor one after `return()`.
 */
export interface FanOutEngine {
  adopt(
    subscribing: Subscribing,
  ): Promise<AsyncIterableIterator<ExecutionResult> | readonly GraphQLError[] | null>;
}

/** A fault as an error of GraphQL. */
export function faultError(...args: ConstructorParameters<typeof Fault>): GraphQLError {
  const fault = new Fault(...args);
  return new GraphQLError(fault.message, { originalError: fault });
}
