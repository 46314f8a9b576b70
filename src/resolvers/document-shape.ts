import { Kind, type DocumentNode, type SelectionSetNode } from 'graphql';

/** The size of a document, its fragments counted as often as they are spread. */
export interface Shape {
  /** Levels of fields within fields. */
  readonly depth: number;
  /** Aliases, and fields that are asked for again in the same place: comparing these is what takes validation long. */
  readonly aliases: number;
  readonly directives: number;
}

const empty: Shape = { depth: 0, aliases: 0, directives: 0 };

interface FragmentShape extends Shape {
  /** The fields of its first level. */
  readonly names: readonly string[];
}

/** The shape of the largest operation of a document, valid or not. */
export function shapeOf(document: DocumentNode): Shape {
  const fragments = new Map<string, SelectionSetNode>();
  for (const node of document.definitions) {
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node.selectionSet);
  }
  const known = new Map<string, FragmentShape>();

  const ofFragment = (name: string): FragmentShape => {
    const found = known.get(name);
    if (found) return found;
    // A fragment within itself counts for nothing here; validation refuses it.
    known.set(name, { ...empty, names: [] });
    const names = new Set<string>();
    const shape = { ...ofSelections(fragments.get(name), names), names: [...names] };
    known.set(name, shape);
    return shape;
  };

  /** @param names the fields met so far in the same place; those of `set` are added. */
  const ofSelections = (set: SelectionSetNode | undefined, names: Set<string>): Shape => {
    let { depth, aliases, directives } = empty;
    const meet = (name: string): number => (names.size === names.add(name).size ? 1 : 0);
    for (const selection of set?.selections ?? []) {
      directives += selection.directives?.length ?? 0;
      let inner: Shape;
      if (selection.kind === Kind.FIELD) {
        const isRepeated = meet(selection.name.value);
        aliases += selection.alias ? 1 : isRepeated;
        inner = ofSelections(selection.selectionSet, new Set());
        depth = Math.max(depth, inner.depth + 1);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        inner = ofSelections(selection.selectionSet, names);
      } else {
        const fragment = ofFragment(selection.name.value);
        for (const name of fragment.names) aliases += meet(name);
        inner = fragment;
      }
      depth = Math.max(depth, inner.depth);
      aliases += inner.aliases;
      directives += inner.directives;
    }
    return { depth, aliases, directives };
  };

  let largest = empty;
  for (const node of document.definitions) {
    if (node.kind !== Kind.OPERATION_DEFINITION) continue;
    const { depth, aliases, directives } = ofSelections(node.selectionSet, new Set());
    largest = {
      depth: Math.max(largest.depth, depth),
      aliases: Math.max(largest.aliases, aliases),
      directives: Math.max(largest.directives, directives + (node.directives?.length ?? 0)),
    };
  }
  return largest;
}
