import {
  getArgumentValues,
  locatedError,
  type FieldNode,
  type GraphQLError,
  type GraphQLResolveInfo,
} from 'graphql';
import { faultOf, withoutStack } from '../lib/fault.ts';
import type { FieldPlan, Plan } from './execution-plan.ts';

/** Where a value stands in the answer, innermost first. */
export type Path = GraphQLResolveInfo['path'];
type Values = Record<string, unknown>;

const noArguments: Readonly<Values> = Object.freeze(Object.create(null) as Values);

/** One execution of a plan. */
export class Run {
  readonly plan: Plan;
  readonly rootValue: unknown;
  readonly contextValue: unknown;
  readonly variables: Values;
  readonly errors: GraphQLError[] = [];
  /** Where errors have made something null; undefined: all of it. */
  readonly #nulled = new Set<Path | undefined>();

  constructor(plan: Plan, rootValue: unknown, contextValue: unknown, variables: Values) {
    this.plan = plan;
    this.rootValue = rootValue;
    this.contextValue = contextValue;
    this.variables = variables;
  }

  /** An object with all fields, or a promise of it. */
  fields(fields: readonly FieldPlan[], source: unknown, parent: Path | undefined): unknown {
    const values: Values = {};
    let isPending = false;
    try {
      for (const field of fields) {
        const value = this.#field(field, source, parent);
        values[field.key] = value;
        isPending ||= isPromise(value);
      }
    } catch (error) {
      if (!isPending) throw error;
      // What is under way is waited for, so that none of it fails unheard.
      return whenResolved(values).finally(() => {
        throw error;
      });
    }
    return isPending ? whenResolved(values) : values;
  }

  /** As `fields`, each begun when the one before it has ended. */
  async fieldsInTurn(fields: readonly FieldPlan[], source: unknown): Promise<Values> {
    const values: Values = {};
    for (const field of fields) values[field.key] = await this.#field(field, source, undefined);
    return values;
  }

  /** What stands in place of what failed. @throws where that may not be null. */
  failed(thrown: unknown, nodes: readonly FieldNode[], path: Path, isNullable: boolean): null {
    const locate = (): GraphQLError => locatedError(thrown, nodes, keysOf(path));
    const error = faultOf(thrown) ? withoutStack(locate) : locate();
    if (!isNullable) throw error;
    this.note(error, path);
    return null;
  }

  /** Keeps an error, unless it stands within what is null already. */
  note(error: GraphQLError, path: Path | undefined): void {
    if (this.#nulled.has(undefined)) return;
    for (let at = path; at; at = at.prev) if (this.#nulled.has(at)) return;
    this.#nulled.add(path);
    this.errors.push(error);
  }

  #field(field: FieldPlan, source: unknown, parent: Path | undefined): unknown {
    const info = new FieldInfo(this, field, parent);
    try {
      const args = field.hasArguments
        ? getArgumentValues(field.definition, field.first, this.variables)
        : noArguments;
      const value: unknown = field.resolve(source, args, this.contextValue, info);
      const path = field.isLeaf ? undefined : info.path;
      const completed = isPromise(value)
        ? value.then((resolved) => field.complete(this, info, path, resolved))
        : field.complete(this, info, path, value);
      return isPromise(completed)
        ? completed.then(undefined, (error: unknown) => this.#fieldFailed(error, field, info))
        : completed;
    } catch (error) {
      return this.#fieldFailed(error, field, info);
    }
  }

  #fieldFailed(error: unknown, field: FieldPlan, info: FieldInfo): null {
    return this.failed(error, field.nodes, info.path, !field.isNonNull);
  }
}

/** What a resolver may ask about its field; few do, so it is put together when they ask. */
class FieldInfo implements GraphQLResolveInfo {
  readonly #run: Run;
  readonly #field: FieldPlan;
  readonly #parent: Path | undefined;
  #path: Path | undefined;

  constructor(run: Run, field: FieldPlan, parent: Path | undefined) {
    this.#run = run;
    this.#field = field;
    this.#parent = parent;
  }

  get path(): Path {
    const { key, parentType } = this.#field;
    return (this.#path ??= { prev: this.#parent, key, typename: parentType.name });
  }
  get fieldName(): string {
    return this.#field.definition.name;
  }
  get fieldNodes(): readonly FieldNode[] {
    return this.#field.nodes;
  }
  get returnType(): GraphQLResolveInfo['returnType'] {
    return this.#field.type;
  }
  get parentType(): GraphQLResolveInfo['parentType'] {
    return this.#field.parentType;
  }
  get schema(): GraphQLResolveInfo['schema'] {
    return this.#run.plan.schema;
  }
  get fragments(): GraphQLResolveInfo['fragments'] {
    return this.#run.plan.fragments;
  }
  get operation(): GraphQLResolveInfo['operation'] {
    return this.#run.plan.operation;
  }
  get rootValue(): unknown {
    return this.#run.rootValue;
  }
  get variableValues(): GraphQLResolveInfo['variableValues'] {
    return this.#run.variables;
  }
}

/** With its values in place of promises of them. */
function whenResolved(values: Values): Promise<Values> {
  const pending: Promise<void>[] = [];
  for (const [key, value] of Object.entries(values)) {
    if (isPromise(value)) pending.push(value.then((resolved) => void (values[key] = resolved)));
  }
  return Promise.all(pending).then(() => values);
}

function keysOf(path: Path): (string | number)[] {
  const keys: (string | number)[] = [];
  for (let at: Path | undefined = path; at; at = at.prev) keys.unshift(at.key);
  return keys;
}

/** As graphql-js takes it: anything with a `then`. */
export function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function';
}
