import {
  getNamedType,
  getOperationAST,
  isInterfaceType,
  isObjectType,
  Kind,
  visit,
  type ASTNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  type SelectionSetNode,
} from 'graphql';

/** How the events of an operation may be executed. */
export interface Plan {
  /** The root field, by its name in the schema. */
  readonly rootField: string;
  /**
   * Whether one execution serves all subscribers: nothing that is selected differs from viewer to viewer but the cursor
   * and, right below the event's message, `replyTo`.
   */
  readonly isShared: boolean;
  readonly showsReply: boolean;
  /** The variables that bear on what an event shows; those of the root field's arguments do not. */
  readonly variables: readonly string[];
}

/** How many fields lie above the fields of an event's message. */
const messageFieldsDepth = 2;

/** Reads a valid document: what it selects says whether its results can be shared. Null where it has no such operation. */
export function planOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | undefined,
): Plan | null {
  const operation = getOperationAST(document, operationName);
  const root = operation && schema.getRootType(operation.operation);
  if (!root) return null;
  const survey = new Survey(schema, document);
  survey.select(operation.selectionSet, root.name, 0);
  return survey.plan;
}

class Survey {
  readonly #schema: GraphQLSchema;
  readonly #fragments = new Map<string, FragmentDefinitionNode>();
  readonly #variables = new Set<string>();
  #rootField: string | null = null;
  #isShared = true;
  #showsReply = false;

  constructor(schema: GraphQLSchema, { definitions }: DocumentNode) {
    this.#schema = schema;
    for (const definition of definitions) {
      if (definition.kind !== Kind.FRAGMENT_DEFINITION) continue;
      this.#fragments.set(definition.name.value, definition);
    }
  }

  get plan(): Plan | null {
    if (this.#rootField === null) return null;
    return {
      rootField: this.#rootField,
      isShared: this.#isShared,
      showsReply: this.#showsReply,
      variables: [...this.#variables].sort(),
    };
  }

  /** @param depth how many fields lie above this selection. */
  select(selectionSet: SelectionSetNode, typeName: string, depth: number): void {
    for (const selection of selectionSet.selections) {
      selection.directives?.forEach((directive) => {
        this.#noteVariables(directive);
      });
      switch (selection.kind) {
        case Kind.FIELD:
          this.#selectField(selection, typeName, depth);
          break;
        case Kind.INLINE_FRAGMENT:
          this.select(
            selection.selectionSet,
            selection.typeCondition?.name.value ?? typeName,
            depth,
          );
          break;
        case Kind.FRAGMENT_SPREAD: {
          const fragment = this.#fragments.get(selection.name.value);
          if (fragment)
            this.select(fragment.selectionSet, fragment.typeCondition.name.value, depth);
        }
      }
    }
  }

  #selectField(field: FieldNode, typeName: string, depth: number): void {
    if (depth === 0) this.#rootField = field.name.value;
    else field.arguments?.forEach((argument) => this.#noteVariables(argument));
    const type = this.#schema.getType(typeName);
    const isComposite = isObjectType(type) || isInterfaceType(type);
    const definition = isComposite ? type.getFields()[field.name.value] : undefined;
    // Only __typename has none.
    if (!definition) return;
    const { perViewer } = definition.extensions as { perViewer?: unknown };
    if (perViewer === true) this.#isShared = false;
    if (perViewer === 'replyTo') {
      this.#showsReply = true;
      if (depth !== messageFieldsDepth) this.#isShared = false;
    }
    if (field.selectionSet) {
      this.select(field.selectionSet, getNamedType(definition.type).name, depth + 1);
    }
  }

  #noteVariables(node: ASTNode): void {
    visit(node, {
      Variable: ({ name }) => {
        this.#variables.add(name.value);
      },
    });
  }
}
