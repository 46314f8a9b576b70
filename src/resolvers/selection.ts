import {
  Kind,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLResolveInfo,
  type SelectionSetNode,
} from 'graphql';

type Fragments = Readonly<Record<string, FragmentDefinitionNode>>;

/** Whether something is asked for below the field that is resolved, whatever @skip and @include will say. */
export function selects({ fieldNodes, fragments }: GraphQLResolveInfo, path: readonly string[]) {
  const found = path.reduce<readonly FieldNode[]>(
    (fields, name) => fieldsOf(selectionsOf(fields), name, fragments),
    fieldNodes,
  );
  return found.length > 0;
}

/** What the fields select. */
export function selectionsOf(fields: readonly FieldNode[]): SelectionSetNode[] {
  return fields.flatMap(({ selectionSet }) => (selectionSet ? [selectionSet] : []));
}

/** The fields of that name, those in fragments included, whatever @skip and @include will say. */
export function fieldsOf(
  selections: readonly SelectionSetNode[],
  name: string,
  fragments: Fragments,
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
        walk(fragments[selection.name.value]?.selectionSet);
      }
    }
  };
  selections.forEach(walk);
  return found;
}
