import type { GraphQLFieldResolver, GraphQLSchema } from 'graphql';
import { actAs, type Context } from './context.ts';
import { builder } from './builder.ts';
import { takeInboxHeadOfQuery } from './inbox-head.ts';
import './auth.ts';
import './conversation-event.ts';
import './gate.ts';
import './group.ts';
import './ledger.ts';
import './node.ts';
import './opening.ts';
import './presence.ts';
import './red-packet-writing.ts';
import './scalars.ts';
import './timeline.ts';
import './typing.ts';
import './viewer.ts';
import './viewer-wallet.ts';
import './writing.ts';

type Resolve = GraphQLFieldResolver<unknown, Context>;

/** The schema, complete and executable. Pure: it reads no environment and opens nothing. */
export function buildSchema(): GraphQLSchema {
  const schema = builder.toSchema({ sortSchema: false });
  wrapFields(schema.getQueryType(), afterInboxHead);
  wrapFields(schema.getMutationType(), readingAfresh);
  return schema;
}

function wrapFields(
  type: ReturnType<GraphQLSchema['getQueryType']>,
  wrap: (resolve: Resolve) => Resolve,
): void {
  for (const field of Object.values(type?.getFields() ?? {})) {
    if (field.resolve) field.resolve = wrap(field.resolve);
  }
}

/** Nothing of a query is read before the head of the inbox, where the query asks for that. */
function afterInboxHead(resolve: Resolve): Resolve {
  return (root, args, context, info) => {
    if (context.inboxHead === null || !context.viewer) return resolve(root, args, context, info);
    const taken = takeInboxHeadOfQuery(context, context.viewer, info);
    const resolved = () => resolve(root, args, context, info);
    return taken ? taken.then(resolved) : resolved();
  };
}

/**
 * The fields of a mutation run one after the other. Each is done by the one who sent the request,
 * while their session lives, whoever signed in or out before it in the same operation; and its payload shows nothing
 * that was read before it.
 */
function readingAfresh(resolve: Resolve): Resolve {
  return (root, args, context, info) => {
    const viewer = context.requestViewer;
    const hasEnded = viewer !== null && context.doors.sessions.isEnded(viewer.sessionId) !== null;
    actAs(context, hasEnded ? null : viewer);
    return resolve(root, args, context, info);
  };
}
