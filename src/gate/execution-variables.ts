import {
  isInputObjectType,
  isInputType,
  isLeafType,
  isListType,
  isNonNullType,
  typeFromAST,
  valueFromAST,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';

type Values = Record<string, unknown>;

/** Where a value is not as its type says. What is wrong graphql-js says, which is asked then. */
const unfit = Symbol('unfit');

/** A value as resolvers get it, or `unfit`. */
type Coerce = (value: unknown) => unknown;

/** An operation's variables as resolvers get them; null where they are not what it asks for. */
export type CoerceVariables = (given: Readonly<Values>) => Values | null;

interface Variable {
  readonly name: string;
  readonly coerce: Coerce;
  readonly isRequired: boolean;
  /** Undefined: none. */
  readonly fallback: unknown;
}

/** What follows from the types of an operation's variables, found out once. Null where it is not known here. */
export function variablesOf(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
): CoerceVariables | null {
  const coercers = new Map<GraphQLInputObjectType, Coerce>();
  const variables: Variable[] = [];
  for (const { variable, type: node, defaultValue } of variableDefinitions) {
    const type = typeFromAST(schema, node);
    if (!isInputType(type)) return null;
    variables.push({
      name: variable.name.value,
      coerce: coercerOf(type, coercers),
      isRequired: isNonNullType(type),
      fallback: defaultValue && valueFromAST(defaultValue, type),
    });
  }
  return (given) => {
    const values: Values = {};
    for (const { name, coerce, isRequired, fallback } of variables) {
      if (Object.hasOwn(given, name)) {
        const value = coerce(given[name]);
        if (value === unfit) return null;
        values[name] = value;
      } else if (fallback !== undefined) values[name] = fallback;
      else if (isRequired) return null;
    }
    return values;
  };
}

function coercerOf(type: GraphQLInputType, coercers: Map<GraphQLInputObjectType, Coerce>): Coerce {
  if (isNonNullType(type)) {
    const coerce = coercerOf(type.ofType, coercers);
    return (value) => (value === null || value === undefined ? unfit : coerce(value));
  }
  const coerce = nullableCoercerOf(type, coercers);
  return (value) => (value === null || value === undefined ? null : coerce(value));
}

function nullableCoercerOf(
  type: GraphQLInputType,
  coercers: Map<GraphQLInputObjectType, Coerce>,
): Coerce {
  if (isListType(type)) {
    const coerceItem = coercerOf(type.ofType, coercers);
    return (value) => listOf(Array.isArray(value) ? value : [value], coerceItem);
  }
  if (isInputObjectType(type)) {
    const known = coercers.get(type);
    if (known) return known;
    let coerce: Coerce | null = null;
    // Made when it is wanted: a type may have fields of itself.
    const made: Coerce = (value) => (coerce ??= objectCoercerOf(type, coercers))(value);
    coercers.set(type, made);
    return made;
  }
  return isLeafType(type)
    ? (value) => {
        try {
          const parsed: unknown = type.parseValue(value);
          return parsed === undefined ? unfit : parsed;
        } catch {
          return unfit;
        }
      }
    : () => unfit;
}

function listOf(items: readonly unknown[], coerceItem: Coerce): unknown {
  const values: unknown[] = [];
  for (const item of items) {
    const value = coerceItem(item);
    if (value === unfit) return unfit;
    values.push(value);
  }
  return values;
}

function objectCoercerOf(
  type: GraphQLInputObjectType,
  coercers: Map<GraphQLInputObjectType, Coerce>,
): Coerce {
  const fields = Object.values(type.getFields()).map((field) => ({
    name: field.name,
    coerce: coercerOf(field.type, coercers),
    isRequired: isNonNullType(field.type),
    fallback: field.defaultValue,
  }));
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return unfit;
    const given = value as Readonly<Values>;
    const coerced: Values = {};
    let known = 0;
    for (const { name, coerce, isRequired, fallback } of fields) {
      const inner = given[name];
      if (inner !== undefined) {
        const taken = coerce(inner);
        if (taken === unfit) return unfit;
        coerced[name] = taken;
        known += 1;
      } else if (fallback !== undefined) coerced[name] = fallback;
      else if (isRequired) return unfit;
    }
    // Whatever else is there the type does not know, or is undefined, which JSON has not.
    if (Object.keys(given).length !== known) return unfit;
    return type.isOneOf && !hasOneValue(coerced) ? unfit : coerced;
  };
}

function hasOneValue(coerced: Values): boolean {
  const values = Object.values(coerced);
  return values.length === 1 && values[0] !== null;
}
