import {
  getNamedType,
  isAbstractType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';

/** One field on the way from a root, with one choice of its arguments. */
export interface Step {
  /** `Type.field` */
  readonly coordinate: string;
  readonly variant: string;
  /** The type that the value before is narrowed to, where it is abstract. */
  readonly on: string | null;
}

export type Path = readonly Step[];

/** Arguments to call a field with, and the types that it leads to then; without `only`, all. */
export interface Variant {
  readonly name: string;
  readonly only?: readonly string[];
}

type Composite = GraphQLObjectType | GraphQLInterfaceType;
export type AnyField = GraphQLField<unknown, unknown>;

/** All types that have fields, but for GraphQL's own. */
export function compositeTypes(schema: GraphQLSchema): Composite[] {
  return Object.values(schema.getTypeMap()).filter(
    (type): type is Composite =>
      (isObjectType(type) || isInterfaceType(type)) && !type.name.startsWith('__'),
  );
}

/** `Type.field` of every field. */
export function coordinates(schema: GraphQLSchema): string[] {
  return compositeTypes(schema).flatMap((type) =>
    Object.keys(type.getFields()).map((name) => `${type.name}.${name}`),
  );
}

/** @throws where there is no such field. */
export function fieldAt(schema: GraphQLSchema, coordinate: string): AnyField {
  const [typeName = '', fieldName = ''] = coordinate.split('.');
  const type = compositeTypes(schema).find(({ name }) => name === typeName);
  const field = type?.getFields()[fieldName];
  if (!field) throw new Error(`there is no ${coordinate}`);
  return field;
}

/** Whether the field gives a list. */
export function isList(schema: GraphQLSchema, coordinate: string): boolean {
  const { type } = fieldAt(schema, coordinate);
  return isListType(isNonNullType(type) ? type.ofType : type);
}

function targetName(schema: GraphQLSchema, coordinate: string): string {
  return getNamedType(fieldAt(schema, coordinate).type).name;
}

/** The types that a field can lead to, the abstract one itself first. */
export function targets(schema: GraphQLSchema, coordinate: string): string[] {
  const named = getNamedType(fieldAt(schema, coordinate).type);
  if (isLeafType(named)) return [];
  if (!isAbstractType(named)) return [named.name];
  const possible = schema.getPossibleTypes(named).map(({ name }) => name);
  return isInterfaceType(named) ? [named.name, ...possible] : possible;
}

/** A way to a type: up to the field, and the variant of it, that gives one. */
export interface Entrance {
  readonly type: string;
  readonly path: Path;
}

/**
 * Every field, in each of its variants, that leads to a type, at the end of the shortest path to it; by type, the
 * shortest first. Queries come before mutations, and these before subscriptions.
 */
export function entrances(
  schema: GraphQLSchema,
  variantsOf: (coordinate: string) => readonly Variant[],
): Map<string, Entrance[]> {
  const found = new Map<string, Entrance[]>();
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  for (const root of roots) {
    if (!root) continue;
    const queue: { type: string; path: Path }[] = [{ type: root.name, path: [] }];
    for (let place = queue.shift(); place; place = queue.shift()) {
      for (const { type, step } of stepsFrom(schema, place.type, variantsOf)) {
        const last = place.path.at(-1);
        const on = last && targetName(schema, last.coordinate) !== place.type ? place.type : null;
        const path = [...place.path, { ...step, on }];
        const known = found.get(type);
        if (known) {
          known.push({ type, path });
        } else {
          found.set(type, [{ type, path }]);
          queue.push({ type, path });
        }
      }
    }
  }
  return found;
}

function stepsFrom(
  schema: GraphQLSchema,
  typeName: string,
  variantsOf: (coordinate: string) => readonly Variant[],
): { type: string; step: Omit<Step, 'on'> }[] {
  const type = compositeTypes(schema).find(({ name }) => name === typeName);
  return Object.keys(type?.getFields() ?? {}).flatMap((name) => {
    const coordinate = `${typeName}.${name}`;
    const led = targets(schema, coordinate);
    if (led.length === 0) return [];
    return variantsOf(coordinate).flatMap((variant) =>
      led
        .filter((target) => variant.only?.includes(target) ?? true)
        .map((target) => ({ type: target, step: { coordinate, variant: variant.name } })),
    );
  });
}

/** The text of an operation that asks for the selections at the end of a path. */
export function operationText(
  schema: GraphQLSchema,
  path: Path,
  end: { readonly on: string; readonly fields: readonly string[] } | null,
  argsOf: (step: Step) => string,
): string {
  const kind = path[0]?.coordinate.split('.')[0]?.toLowerCase() ?? 'query';
  const inner = end ? narrowed(schema, path.at(-1), end.on, end.fields.join(' ')) : '';
  const text = path.reduceRight((below, step) => {
    const field = `${step.coordinate.split('.')[1] ?? ''}${argsOf(step)}`;
    const selected = below === '' ? field : `${field} { ${below} }`;
    return step.on === null ? selected : `__typename ... on ${step.on} { ${selected} }`;
  }, inner);
  return `${kind} { ${text} }`;
}

function narrowed(
  schema: GraphQLSchema,
  last: Step | undefined,
  on: string,
  fields: string,
): string {
  const isPlain = last === undefined || targetName(schema, last.coordinate) === on;
  return isPlain ? fields : `__typename ... on ${on} { ${fields} }`;
}

/** All that is there at the end of the field names: lists flattened, what is null or of another type left out. */
export function leaves(value: unknown, names: readonly string[]): unknown[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap((item: unknown) => leaves(item, names));
  const [name, ...rest] = names;
  if (name === undefined) return [value];
  if (typeof value !== 'object') return [];
  return leaves((value as Readonly<Record<string, unknown>>)[name], rest);
}
