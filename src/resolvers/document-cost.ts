import {
  getNamedType,
  isAbstractType,
  isCompositeType,
  isObjectType,
  Kind,
  type DocumentNode,
  type FieldNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  type SelectionSetNode,
} from 'graphql';
import { limits } from '../limits.ts';
import { introspectionField, introspectionSize } from './document-introspection.ts';
import type { FieldNotes } from './builder.ts';

/**
 * What the dearest operation of a document may cost: the fields that it may show, each as often as the pages in
 * which it stands may be long, and of kinds that exclude each other the dearest. A page's size that is a variable
 * counts as the largest page, so that the same text always costs the same. A document that is not valid costs something.
 * @param what `shown`: without what fields cost by themselves, beside what they show.
 */
export function costOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  what: 'all' | 'shown' = 'all',
): number {
  const fragments = new Map<string, { on: string; set: SelectionSetNode }>();
  for (const node of document.definitions) {
    if (node.kind !== Kind.FRAGMENT_DEFINITION) continue;
    fragments.set(node.name.value, { on: node.typeCondition.name.value, set: node.selectionSet });
  }
  const known = new Map<SelectionSetNode, Map<string, number>>();

  const ofSet = (set: SelectionSetNode, type: GraphQLNamedType): number => {
    if (isAbstractType(type)) {
      return Math.max(0, ...schema.getPossibleTypes(type).map((kind) => ofSet(set, kind)));
    }
    if (!isObjectType(type)) return 0;
    const costs = known.get(set) ?? new Map<string, number>();
    known.set(set, costs);
    const found = costs.get(type.name);
    if (found !== undefined) return found;
    // A fragment within itself costs nothing here; validation refuses it.
    costs.set(type.name, 0);
    let cost = 0;
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) cost += ofField(selection, type);
      else if (selection.kind === Kind.INLINE_FRAGMENT) {
        const on = selection.typeCondition?.name.value ?? type.name;
        if (applies(schema, on, type)) cost += ofSet(selection.selectionSet, type);
      } else {
        const fragment = fragments.get(selection.name.value);
        if (fragment && applies(schema, fragment.on, type)) cost += ofSet(fragment.set, type);
      }
    }
    costs.set(type.name, cost);
    return cost;
  };

  const ofField = (node: FieldNode, parent: GraphQLObjectType): number => {
    const { value: name } = node.name;
    const field = parent.getFields()[name] ?? introspectionField(schema, parent, name);
    if (!field) return 1;
    const own = what === 'all' ? ((field.extensions as FieldNotes).cost ?? 1) : 1;
    const type = getNamedType(field.type);
    if (!node.selectionSet || !isCompositeType(type)) return own;
    const size = introspectionSize(schema, parent, name) ?? pageSize(node, field);
    return own + size * ofSet(node.selectionSet, type);
  };

  const costs = document.definitions.map((node) => {
    const root = node.kind === Kind.OPERATION_DEFINITION && schema.getRootType(node.operation);
    return root ? ofSet(node.selectionSet, root) : 0;
  });
  return Math.max(0, ...costs);
}

function applies(schema: GraphQLSchema, on: string, type: GraphQLObjectType): boolean {
  if (on === type.name) return true;
  const condition = schema.getType(on);
  return isAbstractType(condition) && schema.isSubType(condition, type);
}

/** How many of what stands in the field it may show. */
function pageSize(node: FieldNode, field: GraphQLField<unknown, unknown>): number {
  const sizes = field.args.filter(({ name }) => name === 'first' || name === 'last');
  if (sizes.length === 0) return 1;
  const largest = field.name === 'inbox' ? limits.inboxPullEventsMax : limits.pageMessagesMax;
  const asked = sizes.flatMap(({ name, defaultValue }) => {
    const given = node.arguments?.find((argument) => argument.name.value === name)?.value;
    if (given?.kind === Kind.INT) return [Math.min(Number(given.value), largest)];
    if (given?.kind === Kind.VARIABLE) return [largest];
    return typeof defaultValue === 'number' ? [defaultValue] : [];
  });
  return asked.length > 0 ? Math.max(...asked) : limits.pageDefaultMessages;
}
