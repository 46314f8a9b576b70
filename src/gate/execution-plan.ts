/**
 * What of an operation is the same each time it is executed, found out once: which fields a type
 * shows, how each is resolved and how its value is completed.
 */
import {
  defaultFieldResolver,
  isAbstractType,
  isLeafType,
  isNonNullType,
  Kind,
  OperationTypeNode,
  typeFromAST,
  TypeNameMetaFieldDef,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { completerOf, type Complete } from './execution-values.ts';
import { variablesOf, type CoerceVariables } from './execution-variables.ts';

type Fragments = Readonly<Record<string, FragmentDefinitionNode>>;

/** A field of an object that an operation shows. */
export interface FieldPlan {
  /** Under which it is answered. */
  readonly key: string;
  readonly nodes: readonly FieldNode[];
  readonly first: FieldNode;
  readonly definition: GraphQLField<unknown, unknown>;
  readonly parentType: GraphQLObjectType;
  readonly type: GraphQLOutputType;
  readonly resolve: GraphQLFieldResolver<unknown, unknown>;
  readonly hasArguments: boolean;
  readonly isNonNull: boolean;
  /** Whether its value has nothing in it that an error could stand at. */
  readonly isLeaf: boolean;
  readonly complete: Complete;
}

/** An operation of a document. */
export class Plan {
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly fragments: Fragments;
  readonly isSerial: boolean;
  readonly root: readonly FieldPlan[];
  readonly coerceVariables: CoerceVariables | null;

  constructor(
    schema: GraphQLSchema,
    rootType: GraphQLObjectType,
    operation: OperationDefinitionNode,
    fragments: Fragments,
  ) {
    this.schema = schema;
    this.operation = operation;
    this.fragments = fragments;
    this.isSerial = operation.operation === OperationTypeNode.MUTATION;
    this.root = this.#fieldsOf(rootType, [operation.selectionSet]);
    this.coerceVariables = variablesOf(schema, operation);
  }

  /** What an object of that type shows where those fields hold it. */
  fieldsBelow(type: GraphQLObjectType, nodes: readonly FieldNode[]): readonly FieldPlan[] {
    const sets = nodes.flatMap(({ selectionSet }) => (selectionSet ? [selectionSet] : []));
    return this.#fieldsOf(type, sets);
  }

  #fieldsOf(type: GraphQLObjectType, sets: readonly SelectionSetNode[]): FieldPlan[] {
    return [...this.#collect(type, sets)].flatMap(([key, nodes]) => {
      const [first] = nodes;
      const name = first?.name.value ?? '';
      const definition = name === '__typename' ? TypeNameMetaFieldDef : type.getFields()[name];
      return first && definition ? [this.#field(key, type, first, nodes, definition)] : [];
    });
  }

  #field(
    key: string,
    parentType: GraphQLObjectType,
    first: FieldNode,
    nodes: readonly FieldNode[],
    definition: GraphQLField<unknown, unknown>,
  ): FieldPlan {
    const { type, args, resolve = defaultFieldResolver } = definition;
    return {
      key,
      nodes,
      first,
      definition,
      parentType,
      type,
      resolve,
      hasArguments: args.length > 0,
      isNonNull: isNonNullType(type),
      isLeaf: isLeafType(isNonNullType(type) ? type.ofType : type),
      complete: completerOf(this, type, nodes),
    };
  }

  /** Fields by key, in the order in which they are first met; a fragment is looked into once. */
  #collect(
    type: GraphQLObjectType,
    sets: readonly SelectionSetNode[],
  ): ReadonlyMap<string, FieldNode[]> {
    const fields = new Map<string, FieldNode[]>();
    const spread = new Set<string>();
    const walk = ({ selections }: SelectionSetNode): void => {
      for (const selection of selections) {
        if (selection.kind === Kind.FIELD) {
          const key = selection.alias?.value ?? selection.name.value;
          const known = fields.get(key);
          if (known) known.push(selection);
          else fields.set(key, [selection]);
        } else if (selection.kind === Kind.INLINE_FRAGMENT) {
          if (this.#applies(selection, type)) walk(selection.selectionSet);
        } else if (!spread.has(selection.name.value)) {
          spread.add(selection.name.value);
          const fragment = this.fragments[selection.name.value];
          if (fragment && this.#applies(fragment, type)) walk(fragment.selectionSet);
        }
      }
    };
    sets.forEach(walk);
    return fields;
  }

  #applies(
    {
      typeCondition,
    }: Pick<FragmentDefinitionNode, 'typeCondition'> | { typeCondition?: undefined },
    type: GraphQLObjectType,
  ): boolean {
    if (!typeCondition) return true;
    const condition = typeFromAST(this.schema, typeCondition);
    if (condition === type) return true;
    return isAbstractType(condition) && this.schema.isSubType(condition, type);
  }
}

/**
 * The plan of an operation of a valid document; null where it has what plans do not know:
 * directives, introspection, a key that is no plain property.
 */
export function planOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): Plan | null {
  const rootType = schema.getRootType(operation.operation);
  if (!rootType || checksTypes(schema)) return null;
  const sets: SelectionSetNode[] = [operation.selectionSet];
  const fragments: Record<string, FragmentDefinitionNode> = {};
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.FRAGMENT_DEFINITION) continue;
    fragments[definition.name.value] = definition;
    sets.push(definition.selectionSet);
  }
  return sets.every(isPlain) ? new Plan(schema, rootType, operation, fragments) : null;
}

const unplanned = new Set(['__proto__', '__schema', '__type']);

function isPlain({ selections }: SelectionSetNode): boolean {
  return selections.every((selection) => {
    if (selection.directives?.length) return false;
    if (selection.kind === Kind.FRAGMENT_SPREAD) return true;
    if (selection.kind === Kind.FIELD) {
      if (unplanned.has(selection.name.value) || selection.alias?.value === '__proto__')
        return false;
    }
    return !selection.selectionSet || isPlain(selection.selectionSet);
  });
}

/** Whether types of the schema look at their values before they are shown. */
function checksTypes(schema: GraphQLSchema): boolean {
  return Object.values(schema.getTypeMap()).some((type) => 'isTypeOf' in type && type.isTypeOf);
}
