import {
  GraphQLError,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  defaultTypeResolver,
  type FieldNode,
  type GraphQLAbstractType,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
} from 'graphql';
import type { FieldPlan, Plan } from './execution-plan.ts';
import { isPromise, type Path, type Run } from './execution-run.ts';

/**
 * Makes what a resolver answered into what the client gets, or a promise of it.
 * @param path where it stands; a leaf needs none.
 * @throws whatever makes it null.
 */
export type Complete = (
  run: Run,
  info: GraphQLResolveInfo,
  path: Path | undefined,
  value: unknown,
) => unknown;

/** How a value of that type is completed where those fields hold it. */
export function completerOf(
  plan: Plan,
  type: GraphQLOutputType,
  nodes: readonly FieldNode[],
): Complete {
  if (isNonNullType(type)) return nonNull(completerOf(plan, type.ofType, nodes));
  if (isListType(type)) return listOf(plan, type.ofType, nodes);
  if (isLeafType(type)) return leaf(type);
  if (isObjectType(type)) return objectOf(plan, type, nodes);
  return abstractOf(plan, type, nodes);
}

function nonNull(complete: Complete): Complete {
  return (run, info, path, value) => {
    const completed = complete(run, info, path, value);
    if (completed !== null) return completed;
    const field = `${info.parentType.name}.${info.fieldName}`;
    throw new Error(`Cannot return null for non-nullable field ${field}.`);
  };
}

function leaf(type: GraphQLLeafType): Complete {
  return (_run, _info, _path, value) => {
    if (value === null || value === undefined) return null;
    if (value instanceof Error) throw value;
    const serialized: unknown = type.serialize(value);
    if (serialized !== null && serialized !== undefined) return serialized;
    throw new Error(`A value of ${type.name} was serialized as ${String(serialized)}.`);
  };
}

function listOf(plan: Plan, itemType: GraphQLOutputType, nodes: readonly FieldNode[]): Complete {
  const complete = completerOf(plan, itemType, nodes);
  const isNullable = !isNonNullType(itemType);
  const item = (run: Run, info: GraphQLResolveInfo, path: Path, value: unknown): unknown => {
    try {
      const completed = isPromise(value)
        ? value.then((resolved) => complete(run, info, path, resolved))
        : complete(run, info, path, value);
      return isPromise(completed)
        ? completed.then(undefined, (error: unknown) => run.failed(error, nodes, path, isNullable))
        : completed;
    } catch (error) {
      return run.failed(error, nodes, path, isNullable);
    }
  };
  return (run, info, path, value) => {
    if (value === null || value === undefined) return null;
    if (value instanceof Error) throw value;
    if (!isIterable(value)) {
      const field = `${info.parentType.name}.${info.fieldName}`;
      throw new GraphQLError(`Expected Iterable, but did not find one for field "${field}".`);
    }
    const items: unknown[] = [];
    try {
      for (const each of value) {
        items.push(item(run, info, { prev: path, key: items.length, typename: undefined }, each));
      }
    } catch (error) {
      return afterPending(items, error);
    }
    return items.some(isPromise) ? Promise.all(items) : items;
  };
}

/** Fails when what is under way has ended, so that none of it fails unheard. */
function afterPending(items: readonly unknown[], error: unknown): Promise<never> {
  const pending = items.filter(isPromise);
  if (pending.length === 0) throw error;
  return Promise.allSettled(pending).then(() => {
    throw error;
  });
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}

function objectOf(plan: Plan, type: GraphQLObjectType, nodes: readonly FieldNode[]): Complete {
  let fields: readonly FieldPlan[] | undefined;
  return (run, _info, path, value) => {
    if (value === null || value === undefined) return null;
    if (value instanceof Error) throw value;
    // Not before: a document may hold types in each other that no answer ever does.
    fields ??= plan.fieldsBelow(type, nodes);
    return run.fields(fields, value, path);
  };
}

function abstractOf(plan: Plan, type: GraphQLAbstractType, nodes: readonly FieldNode[]): Complete {
  const resolveType = type.resolveType ?? defaultTypeResolver;
  const known = new Map<string, Complete>();
  const completerFor = (name: unknown, info: GraphQLResolveInfo): Complete => {
    const found = typeof name === 'string' ? known.get(name) : undefined;
    if (found) return found;
    const runtimeType = typeof name === 'string' ? plan.schema.getType(name) : undefined;
    if (!isObjectType(runtimeType)) {
      const field = `${info.parentType.name}.${info.fieldName}`;
      const message = `Abstract type "${type.name}" must resolve to an Object type at runtime for field "${field}". Either the "${type.name}" type should provide a "resolveType" function or each possible type should provide an "isTypeOf" function.`;
      throw new GraphQLError(message, { nodes });
    }
    if (!plan.schema.isSubType(type, runtimeType)) {
      const message = `Runtime Object type "${runtimeType.name}" is not a possible type for "${type.name}".`;
      throw new GraphQLError(message, { nodes });
    }
    const complete = objectOf(plan, runtimeType, nodes);
    known.set(runtimeType.name, complete);
    return complete;
  };
  return (run, info, path, value) => {
    if (value === null || value === undefined) return null;
    if (value instanceof Error) throw value;
    const name: unknown = resolveType(value, run.contextValue, info, type);
    return isPromise(name)
      ? name.then((resolved) => completerFor(resolved, info)(run, info, path, value))
      : completerFor(name, info)(run, info, path, value);
  };
}
