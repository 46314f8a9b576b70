import { Kind, type FieldNode, type GraphQLResolveInfo } from 'graphql';
import type { Context } from './context.ts';
import type { Viewer } from '../domain/session/session.ts';
import { fieldsOf, selectionsOf } from './selection.ts';

/**
 * Takes the head of the inbox where what the field selects asks for it (`inbox` without `after`), so
 * that all that is read after the returned promise is at least as new as that head: a client that
 * resumes from there misses nothing. Whoever wants the head finds it in the context; that it
 * could not be had concerns nobody else.
 */
export async function takeInboxHead(
  context: Context,
  viewer: Viewer,
  info: GraphQLResolveInfo,
): Promise<void> {
  await take(context, viewer, asksForHead(info.fieldNodes, info));
}

/**
 * As `takeInboxHead`, for all fields of a query at once: whichever of them is resolved first
 * starts it, and all of them wait for it.
 * @returns null where nobody asks for it, so that a query which reads nothing is executed without a promise.
 */
export function takeInboxHeadOfQuery(
  context: Context,
  viewer: Viewer,
  info: GraphQLResolveInfo,
): Promise<unknown> | null {
  const viewers = fieldsOf([info.operation.selectionSet], 'viewer', info.fragments);
  return take(context, viewer, asksForHead(viewers, info));
}

function take(context: Context, viewer: Viewer, isAsked: boolean): Promise<unknown> | null {
  if (context.inboxHead === undefined) {
    context.inboxHead = isAsked ? context.streams.inboxHead(viewer) : null;
    // Nobody may come for it: it is asked for whatever @skip and @include say.
    context.inboxHead?.page.catch(() => undefined);
  }
  return context.inboxHead?.taken.catch(() => undefined) ?? null;
}

function asksForHead(viewers: readonly FieldNode[], info: GraphQLResolveInfo) {
  const inboxes = fieldsOf(selectionsOf(viewers), 'inbox', info.fragments);
  return inboxes.some((field) => !hasAfter(field, info));
}

function hasAfter(field: FieldNode, { variableValues }: GraphQLResolveInfo): boolean {
  const after = field.arguments?.find(({ name }) => name.value === 'after')?.value;
  if (!after || after.kind === Kind.NULL) return false;
  return after.kind !== Kind.VARIABLE || variableValues[after.name.value] != null;
}
