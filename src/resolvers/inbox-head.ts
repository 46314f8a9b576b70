import { Kind, type FieldNode, type GraphQLResolveInfo, type SelectionSetNode } from 'graphql';
import type { Context } from '../context.ts';
import type { Viewer } from '../domain/session/session.ts';

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
  const selected = info.fieldNodes.flatMap(({ selectionSet }) =>
    selectionSet ? [selectionSet] : [],
  );
  await take(context, viewer, asksForHead(selected, info));
}

/**
 * As `takeInboxHead`, for all fields of a query at once: whichever of them is resolved first
 * starts it, and all of them wait for it.
 */
export async function takeInboxHeadOfQuery(
  context: Context,
  viewer: Viewer,
  info: GraphQLResolveInfo,
): Promise<void> {
  const viewers = fieldsOf([info.operation.selectionSet], 'viewer', info);
  const selected = viewers.flatMap(({ selectionSet }) => (selectionSet ? [selectionSet] : []));
  await take(context, viewer, asksForHead(selected, info));
}

async function take(context: Context, viewer: Viewer, isAsked: boolean): Promise<void> {
  if (context.inboxHead === undefined) {
    context.inboxHead = isAsked ? context.streams.inboxPage(viewer, null, 0) : null;
  }
  await context.inboxHead?.catch(() => undefined);
}

function asksForHead(viewerSelections: readonly SelectionSetNode[], info: GraphQLResolveInfo) {
  return fieldsOf(viewerSelections, 'inbox', info).some((field) => !hasAfter(field, info));
}

function hasAfter(field: FieldNode, { variableValues }: GraphQLResolveInfo): boolean {
  const after = field.arguments?.find(({ name }) => name.value === 'after')?.value;
  if (!after || after.kind === Kind.NULL) return false;
  return after.kind !== Kind.VARIABLE || variableValues[after.name.value] != null;
}

/** The fields of that name, those in fragments included, whatever @skip and @include will say. */
function fieldsOf(
  selections: readonly SelectionSetNode[],
  name: string,
  info: GraphQLResolveInfo,
): FieldNode[] {
  const found: FieldNode[] = [];
  const spread = new Set<string>();
  const walk = (set: SelectionSetNode | undefined): void => {
    for (const selection of set?.selections ?? []) {
      if (selection.kind === Kind.FIELD) {
        if (selection.name.value === name) found.push(selection);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        walk(selection.selectionSet);
      } else if (!spread.has(selection.name.value)) {
        spread.add(selection.name.value);
        walk(info.fragments[selection.name.value]?.selectionSet);
      }
    }
  };
  selections.forEach(walk);
  return found;
}
