import {
  getNamedType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isInterfaceType,
  isScalarType,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLSchema,
} from 'graphql';
import type { Random } from '../kill/random.ts';
import type { Values } from './values.ts';

/** Operations drawn from the schema: valid ones, but for what their values are. */
export class Documents {
  readonly #schema: GraphQLSchema;
  readonly #random: Random;
  readonly #values: Values;

  constructor(schema: GraphQLSchema, random: Random, values: Values) {
    this.#schema = schema;
    this.#random = random;
    this.#values = values;
  }

  /** An operation and the variables that it declares. */
  draw(): { query: string; variables: Record<string, unknown> } {
    const random = this.#random;
    const kind = random.pick(['query', 'query', 'mutation', 'mutation', 'subscription'] as const);
    const root =
      kind === 'mutation'
        ? this.#schema.getMutationType()
        : kind === 'subscription'
          ? this.#schema.getSubscriptionType()
          : this.#schema.getQueryType();
    const variables: Record<string, unknown> = {};
    const declared: string[] = [];
    const scope: Scope = {
      argument: (type) => {
        if (random.chance(0.5)) return this.#literal(type, 0);
        const name = `v${declared.length}`;
        declared.push(`$${name}: ${String(type)}`);
        variables[name] = this.#json(type, 0);
        return `$${name}`;
      },
    };
    const count = kind === 'subscription' ? 1 : random.between(1, 3);
    const body = root
      ? this.#selection(root, random.between(1, 6), scope, count)
      : '{ __typename }';
    const header = declared.length > 0 ? `(${declared.join(', ')})` : '';
    return { query: `${kind ?? 'query'} Q${header} ${body}`, variables };
  }

  /** Text that was valid once. */
  mutated(text: string): string {
    const random = this.#random;
    let result = text;
    for (let times = random.between(1, 4); times > 0; times -= 1) {
      const at = random.between(0, result.length);
      const to = Math.min(result.length, at + random.between(0, 20));
      const cut = result.slice(at, to);
      switch (random.between(0, 5)) {
        case 0:
          result = result.slice(0, at) + result.slice(to);
          break;
        case 1:
          result = result.slice(0, at) + cut.repeat(random.between(2, 50)) + result.slice(to);
          break;
        case 2:
          result = result.slice(0, at) + (random.pick(oddTexts) ?? '') + result.slice(at);
          break;
        case 3:
          result = result.replace(/[a-z]+/i, () => random.pick(words) ?? '');
          break;
        case 4:
          result = `${result} ${result.slice(at)}`;
          break;
        default:
          result = result.slice(0, at);
      }
    }
    return result;
  }

  #selection(type: GraphQLNamedType, depth: number, scope: Scope, count: number): string {
    const random = this.#random;
    if (isAbstractType(type)) {
      const possible = random.pick(this.#schema.getPossibleTypes(type));
      const own = isInterfaceType(type) && random.chance(0.3) ? this.#field(type, 0, scope) : '';
      return possible
        ? `{ __typename ${own} ... on ${possible.name} ${this.#selection(possible, depth, scope, 2)} }`
        : '{ __typename }';
    }
    const fields = Array.from({ length: count }, (_, at) => {
      const field = this.#field(type, depth, scope);
      // Two fields of one name with other arguments do not merge.
      const needsAlias = /^\w+[({]/.test(field.replace(' ', '')) || random.chance(0.1);
      return needsAlias && !random.chance(0.02) ? `a${at}: ${field}` : field;
    });
    return `{ ${fields.join(' ')} }`;
  }

  #field(type: GraphQLNamedType, depth: number, scope: Scope): string {
    if (!isObjectType(type) && !isInterfaceType(type)) return '__typename';
    const random = this.#random;
    const all = Object.values(type.getFields());
    const field = random.pick(all.filter((one) => depth > 0 || isLeafType(getNamedType(one.type))));
    if (!field || random.chance(0.05)) return '__typename';
    const given = field.args.filter(
      ({ type: of, defaultValue }) =>
        (isNonNullType(of) && defaultValue === undefined) || random.chance(0.5),
    );
    const args = given.map((arg) => `${arg.name}: ${scope.argument(arg.type)}`);
    const text = `${field.name}${args.length > 0 ? `(${args.join(', ')})` : ''}`;
    const directive = random.chance(0.05) ? ` @include(if: ${random.chance(0.7)})` : '';
    const below = getNamedType(field.type);
    return isLeafType(below)
      ? text + directive
      : `${text}${directive} ${this.#selection(below, depth - 1, scope, random.between(1, 4))}`;
  }

  #json(type: GraphQLInputType, depth: number): unknown {
    const random = this.#random;
    if (random.chance(0.015)) return this.#values.anything();
    if (isNonNullType(type))
      return this.#json(type.ofType, depth) ?? this.#json(type.ofType, depth);
    if (random.chance(0.02)) return null;
    if (isListType(type)) {
      const count = random.chance(0.02) ? 1_500 : random.between(0, 4);
      return Array.from({ length: count }, () => this.#json(type.ofType, depth + 1));
    }
    if (isEnumType(type)) return random.pick(type.getValues())?.name;
    if (isScalarType(type)) return this.#values.ofScalar(type.name);
    if (!isInputObjectType(type) || depth > 8) return null;
    const fields = Object.values(type.getFields());
    const chosen = type.isOneOf ? [random.pick(fields)] : fields;
    return Object.fromEntries(
      chosen.flatMap((field) => {
        if (!field || (!isNonNullType(field.type) && random.chance(0.5) && !type.isOneOf))
          return [];
        return [[field.name, this.#ofField(field.name, field.type, depth)]];
      }),
    );
  }

  #ofField(name: string, type: GraphQLInputType, depth: number): unknown {
    return this.#values.ofName(name) ?? this.#json(type, depth + 1);
  }

  #literal(type: GraphQLInputType, depth: number): string {
    return literalOf(this.#json(type, depth), type);
  }
}

interface Scope {
  argument(type: GraphQLInputType): string;
}

function literalOf(value: unknown, type: GraphQLInputType | null): string {
  const bare = type && isNonNullType(type) ? type.ofType : type;
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) {
    const of = bare && isListType(bare) ? bare.ofType : null;
    return `[${value.map((item: unknown) => literalOf(item, of)).join(', ')}]`;
  }
  if (typeof value === 'object') {
    const fields = bare && isInputObjectType(bare) ? bare.getFields() : {};
    const parts = Object.entries(value).map(
      ([name, item]: [string, unknown]) =>
        `${name}: ${literalOf(item, fields[name]?.type ?? null)}`,
    );
    return `{ ${parts.join(', ')} }`;
  }
  if (typeof value === 'string' && bare && isEnumType(bare)) return value;
  return JSON.stringify(value);
}

const words = ['query', 'subscription', 'fragment', '__schema', 'node', 'x', 'null', 'on', 'input'];
const oddTexts = [
  '{',
  '}',
  '{{{{{{{{{{{{{{{{',
  '"""',
  '"\\uD800"',
  '\u0000',
  '...F fragment F on Query { ...F }',
  '@skip(if: true)'.repeat(60),
  '$v0',
  '[[[[[[[[[[[[[[[[[[[[[[[[[[',
  '1e999',
  '-0',
  '99999999999999999999',
  '\u2028',
  '#',
  '!',
];
