import { Kind, type DocumentNode, type SelectionSetNode } from 'graphql';

/** The size of a document, its fragments counted as often as they are spread. */
export interface Shape {
  /** Levels of fields within fields. */
  readonly depth: number;
  readonly aliases: number;
  readonly directives: number;
}

const empty: Shape = { depth: 0, aliases: 0, directives: 0 };

/** The shape of the largest operation of a document, valid or not. Takes time in proportion to its text. */
export function shapeOf(document: DocumentNode): Shape {
  const fragments = new Map<string, SelectionSetNode>();
  for (const node of document.definitions) {
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node.selectionSet);
  }
  const known = new Map<string, Shape>();

  const ofFragment = (name: string): Shape => {
    const found = known.get(name);
    if (found) return found;
    // A fragment within itself counts for nothing here; validation refuses it.
    known.set(name, empty);
    const shape = ofSelections(fragments.get(name));
    known.set(name, shape);
    return shape;
  };

  const ofSelections = (set: SelectionSetNode | undefined): Shape => {
    let { depth, aliases, directives } = empty;
    for (const selection of set?.selections ?? []) {
      const isField = selection.kind === Kind.FIELD;
      const inner =
        selection.kind === Kind.FRAGMENT_SPREAD
          ? ofFragment(selection.name.value)
          : ofSelections(selection.selectionSet);
      depth = Math.max(depth, inner.depth + (isField ? 1 : 0));
      aliases += inner.aliases + (isField && selection.alias ? 1 : 0);
      directives += inner.directives + (selection.directives?.length ?? 0);
    }
    return { depth, aliases, directives };
  };

  let largest = empty;
  for (const node of document.definitions) {
    if (node.kind !== Kind.OPERATION_DEFINITION) continue;
    const { depth, aliases, directives } = ofSelections(node.selectionSet);
    largest = {
      depth: Math.max(largest.depth, depth),
      aliases: Math.max(largest.aliases, aliases),
      directives: Math.max(largest.directives, directives + (node.directives?.length ?? 0)),
    };
  }
  return largest;
}
