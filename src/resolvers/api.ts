import type { GraphQLError, GraphQLFormattedError, GraphQLSchema } from 'graphql';
import type { Services } from '../doors.ts';
import { contextFor, type AuthFailure, type Context } from './context.ts';
import type { Authority } from '../domain/app/app.ts';
import type { Viewer } from '../domain/session/session.ts';
import type { Logger } from '../lib/log.ts';
import { prepareDocument, type DocumentLimits, type PreparedDocument } from './document-limits.ts';
import { presentErrors } from './errors.ts';
import { buildSchema } from './schema.ts';

export interface ApiDeps {
  readonly services: Services;
  readonly log: Logger;
  /** Without it, those of `limits.ts`, introspection allowed. */
  readonly documentLimits?: DocumentLimits;
}

/** All that is GraphQL's about the server: the same whether it came over HTTP or a socket. */
export interface Api {
  readonly schema: GraphQLSchema;
  /** Parses, measures and validates. The same for the same text, so the answer can be kept. */
  prepare(text: string): PreparedDocument;
  /** A fresh context for one operation, or one event of a subscription. */
  contextFor(
    viewer: Viewer | null,
    authFailure?: AuthFailure | null,
    address?: string,
    authority?: Authority | null,
  ): Context;
  /** Errors as the client may see them: bugs masked and logged, each with a code of the closed table. */
  present(errors: readonly GraphQLError[]): readonly GraphQLFormattedError[];
}

/** Binds the schema to the services of a server. */
export function createApi({ services, log, documentLimits }: ApiDeps): Api {
  const schema = buildSchema();
  const hidesSchema = documentLimits?.allowsIntrospection === false;
  const report = (bug: unknown, path: string) => log.error({ err: bug, path }, 'field.failed');
  return {
    schema,
    prepare: (text) => prepareDocument(schema, text, documentLimits),
    contextFor: (viewer, authFailure, address, authority) =>
      contextFor(viewer, services, authFailure, address, authority),
    present: (errors) => presentErrors(errors, report, hidesSchema),
  };
}
