import {
  getArgumentValues,
  getNamedType,
  isObjectType,
  Kind,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLResolveInfo,
  type SelectionNode,
} from 'graphql';
import { requireViewer, type Context } from './context.ts';
import type { HistoryPage, HistoryPageInput } from '../domain/message/message.ts';
import { Fault } from '../lib/fault.ts';

/** What `Conversation.messages` takes. */
interface HistoryArguments {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly last?: number | null | undefined;
  readonly before?: string | null | undefined;
}

/** The arguments of `Conversation.messages` as the domain takes them. */
export function historyInput(args: HistoryArguments): HistoryPageInput {
  return {
    first: args.first ?? null,
    after: args.after ?? null,
    last: args.last ?? null,
    before: args.before ?? null,
  };
}

/**
 * Reads the page that `messages` is going to show where a conversation is asked for its history
 * alone: the statement that reads it checks the right by itself, so entering before it would be a
 * second one for nothing.
 * @returns null where the viewer may not read it; undefined where the field asks for more, or for
 *   what is no page: then `messages` itself says so.
 */
export async function pageAhead(
  id: bigint,
  context: Context,
  info: GraphQLResolveInfo,
): Promise<HistoryPage | null | undefined> {
  const field = historyAlone(info);
  const type = getNamedType(info.returnType);
  const definition = isObjectType(type) ? type.getFields()['messages'] : undefined;
  if (!field || !definition) return undefined;
  try {
    const args: HistoryArguments = getArgumentValues(definition, field, info.variableValues);
    return await context.doors.messages.pageUnentered(
      requireViewer(context),
      id,
      historyInput(args),
    );
  } catch (error) {
    if (error instanceof Fault && error.code === 'INVALID_ARGUMENT') return undefined;
    throw error;
  }
}

/** By the field that asks for the conversation, since documents are kept and asked again. */
const known = new WeakMap<FieldNode, FieldNode | null>();

function historyAlone({ fieldNodes, fragments }: GraphQLResolveInfo): FieldNode | null {
  const [asking, ...others] = fieldNodes;
  if (!asking?.selectionSet || others.length > 0) return null;
  let found = known.get(asking);
  if (found === undefined) {
    found = onlyMessages(fieldsIn(asking.selectionSet.selections, fragments));
    known.set(asking, found);
  }
  return found;
}

/** The one `messages` beside what an id alone answers; null for anything else. */
function onlyMessages(fields: readonly (FieldNode | null)[]): FieldNode | null {
  const others = fields.filter((field) => field === null || !answeredById.has(field.name.value));
  const [field = null] = others;
  return others.length === 1 && field?.name.value === 'messages' ? field : null;
}

const answeredById = new Set(['id', '__typename']);

/** Those in fragments included; null stands for what depends on a directive. */
function fieldsIn(
  selections: readonly SelectionNode[],
  fragments: Readonly<Record<string, FragmentDefinitionNode>>,
): (FieldNode | null)[] {
  return selections.flatMap((selection) => {
    if (selection.directives?.length) return [null];
    if (selection.kind === Kind.FIELD) return [selection];
    const of =
      selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments[selection.name.value];
    return fieldsIn(of?.selectionSet.selections ?? [], fragments);
  });
}
