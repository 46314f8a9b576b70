import {
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  SchemaMetaFieldDef,
  TypeMetaFieldDef,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';

/** `__schema` and `__type`, which stand on the root of queries without being among its fields. */
export function introspectionField(
  schema: GraphQLSchema,
  parent: GraphQLObjectType,
  name: string,
): GraphQLField<unknown, unknown> | undefined {
  if (parent !== schema.getQueryType()) return undefined;
  return [SchemaMetaFieldDef, TypeMetaFieldDef].find((field) => field.name === name);
}

/** How many items a list of the introspection has in this schema, on average; undefined for any other field. */
export function introspectionSize(
  schema: GraphQLSchema,
  parent: GraphQLObjectType,
  name: string,
): number | undefined {
  if (!isIntrospectionType(parent)) return undefined;
  const sizes = sizesOf.get(schema) ?? measure(schema);
  sizesOf.set(schema, sizes);
  return sizes.get(`${parent.name}.${name}`) ?? 1;
}

const sizesOf = new WeakMap<GraphQLSchema, ReadonlyMap<string, number>>();

function measure(schema: GraphQLSchema): ReadonlyMap<string, number> {
  const types = Object.values(schema.getTypeMap());
  const directives = schema.getDirectives();
  const withFields = types.filter((type) => isObjectType(type) || isInterfaceType(type));
  const fields = withFields.flatMap((type) => Object.values(type.getFields()));
  const inputs = types.filter(isInputObjectType);
  const enums = types.filter(isEnumType);
  const total = (counts: readonly number[]): number => counts.reduce((sum, n) => sum + n, 0);
  const perType = (count: number): number => Math.max(1, count / types.length);
  return new Map([
    ['__Schema.types', types.length],
    ['__Schema.directives', directives.length],
    ['__Directive.args', total(directives.map(({ args }) => args.length)) / directives.length],
    ['__Type.fields', perType(fields.length)],
    ['__Field.args', Math.max(1, total(fields.map(({ args }) => args.length)) / fields.length)],
    ['__Type.inputFields', perType(total(inputs.map((t) => Object.keys(t.getFields()).length)))],
    ['__Type.enumValues', perType(total(enums.map((t) => t.getValues().length)))],
  ]);
}
