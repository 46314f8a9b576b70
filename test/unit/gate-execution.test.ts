import {
  buildSchema,
  execute as executeByTheBook,
  getNullableType,
  isAbstractType,
  isLeafType,
  isListType,
  isNullableType,
  NoUnusedVariablesRule,
  parse,
  specifiedRules,
  validate,
  type ExecutionResult,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { execute } from '../../src/gate/execution.ts';

const fields = `
  id: ID! name: String strict: Int! colour: Colour
  a: A b: B! node: Node thing: Thing things: [Thing!] list: [A] strictList: [B!]! matrix: [[Int!]]
  echo(text: String = "none", times: [Int!], box: Box, pick: Pick): String`;
const schema = buildSchema(`
  enum Colour { RED GREEN }
  input Box { size: Int! colour: Colour = RED inside: [Box!] name: String }
  input Pick @oneOf { number: Int word: String boxes: [[Box]!] }
  interface Node { id: ID! name: String a: A }
  union Thing = A | B
  type A implements Node { ${fields} }
  type B implements Node { ${fields} }
  type Query { a: A b: B! node: Node things: [Thing] list: [A!] strict: Int! name: String }
  type Mutation { one: A two: B three: Int! four: String }
`);

/** Numbers from 0 to 1 that follow from a text alone. */
function chance(text: string): () => number {
  let state = 2166136261;
  for (const char of text) state = Math.imul(state ^ char.charCodeAt(0), 16777619);
  return () => {
    state = Math.imul(state ^ (state >>> 15), 2246822519) + 0x9e3779b9;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}

/** What goes wrong now and then, and whether answers may be promises. */
interface World {
  readonly seed: number;
  readonly isAsync: boolean;
  readonly isKind: boolean;
}

/** An object all of whose fields answer by chance, the same for the same place. */
function source(world: World): object {
  return new Proxy(
    {},
    {
      get(_target, name) {
        if (typeof name !== 'string' || name === 'then') return undefined;
        if (name === '__typename') return undefined;
        return (args: object, context: unknown, info: GraphQLResolveInfo) =>
          name === 'echo'
            ? JSON.stringify([args, context, info.operation.operation, info.parentType.name])
            : valueOf(info.returnType, keysOf(info.path), world);
      },
    },
  );
}

function keysOf(path: GraphQLResolveInfo['path'] | undefined): string {
  return path ? `${keysOf(path.prev)}/${path.key}` : '';
}

function valueOf(type: GraphQLOutputType, place: string, world: World): unknown {
  const next = chance(`${world.seed}${place}`);
  if (world.isAsync && next() < 0.3) {
    const ticks = Math.floor(next() * 4);
    return (async () => {
      for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
      return plainValue(type, place, world, next);
    })();
  }
  return plainValue(type, place, world, next);
}

function plainValue(
  type: GraphQLOutputType,
  place: string,
  world: World,
  next: () => number,
): unknown {
  const fate = world.isKind ? 1 : next();
  if (fate < 0.03) throw new Error(`thrown at ${place}`);
  if (fate < 0.05) return new Error(`answered at ${place}`);
  if (fate < 0.12) return fate < 0.1 ? null : undefined;
  if (fate < 0.13) return Symbol.for('nothing that can be shown');
  const bare = getNullableType(type);
  if (isNullableType(type) && next() < 0.1) return null;
  if (isListType(bare)) {
    const items = Array.from({ length: Math.floor(next() * 3) }, (_, index) =>
      valueOf(bare.ofType, `${place}/${index}`, world),
    );
    return next() < 0.5 ? items : new Set(items);
  }
  if (isLeafType(bare)) {
    if (bare.name === 'Colour') return next() < 0.5 ? 'RED' : 'GREEN';
    return Math.floor(next() * 100);
  }
  if (!isAbstractType(bare)) return source(world);
  const typename = next() < (world.isKind ? 1 : 0.95) ? (next() < 0.5 ? 'A' : 'B') : 'Query';
  return new Proxy(source(world), {
    get: (target, name) =>
      name === '__typename' ? typename : (Reflect.get(target, name) as unknown),
  });
}

/** A document by chance; many are not valid. */
function documentOf(next: () => number): string {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)] as T;
  const leaves = ['id', 'name', 'strict', 'colour', 'matrix', '__typename'];
  const echoes = ['echo', 'echo(text: "x")', 'echo(text: $text, times: [1, $n], box: $box)'];
  const inner = ['a', 'b', 'node', 'thing', 'things', 'list', 'strictList'];
  const selection = (depth: number, on: string): string => {
    const count = 1 + Math.floor(next() * 3);
    return Array.from({ length: count }, () => {
      const kind = next();
      if (on === 'Thing' || kind < 0.2) {
        const type = pick(on === 'Thing' ? ['A', 'B'] : [on, 'A', 'B', 'Node']);
        return kind < 0.05 && depth > 0 ? '...F' : `... on ${type} { ${selection(depth, type)} }`;
      }
      const alias = next() < 0.15 ? `${pick(['x', 'y'])}: ` : '';
      if (on === 'Node') return alias + pick(['id', 'name', '__typename']);
      if (depth === 0 || kind < 0.5) return alias + (kind < 0.27 ? pick(echoes) : pick(leaves));
      const name = pick(inner);
      return `${alias}${name} { ${selection(depth - 1, typeBelow(name))} }`;
    }).join(' ');
  };
  const typeBelow = (name: string) =>
    name.startsWith('thing') ? 'Thing' : name === 'node' ? 'Node' : name.endsWith('b') ? 'B' : 'A';
  const isMutation = next() < 0.2;
  const roots = isMutation
    ? [`one { ${selection(2, 'A')} }`, `two { ${selection(1, 'B')} }`, 'three', 'four']
    : [
        ...['a', 'b', 'node', 'things', 'list'].map(
          (name) => `${name} { ${selection(2, typeBelow(name))} }`,
        ),
        'strict',
        'name',
        '... { name strict }',
      ];
  const chosen = roots.filter(() => next() < 0.4);
  const fragment = `fragment F on A { ${selection(0, 'A')} list { id name } }`;
  return `${isMutation ? 'mutation' : 'query'} Q($text: String, $n: Int!, $box: Box) {
    ${chosen.join('\n    ') || '__typename'} }
  ${chosen.join('').includes('...F') ? fragment : ''}`;
}

/** As a client has it; errors in an order of their own. */
function seen({ data, errors = [] }: ExecutionResult): unknown {
  return {
    data: JSON.parse(JSON.stringify(data ?? null)) as unknown,
    errors: errors.map((error) => JSON.stringify(error)),
  };
}

/** Without errors within what is null: whether they were noted is a matter of when they came. */
function settled({ data, errors = [] }: ExecutionResult): ExecutionResult {
  const isReached = (path: readonly (string | number)[] = []): boolean => {
    let at: unknown = data;
    for (const key of path.slice(0, -1)) at = (at as Record<string, unknown> | null)?.[key] ?? null;
    return at !== null;
  };
  const reached = errors.filter(({ path }) => isReached(path));
  return {
    data: data ?? null,
    errors: reached.sort((a, b) => (String(a.path) < String(b.path) ? -1 : 1)),
  };
}

const variableValues = { text: 'given', n: 7, box: { size: 2 } };

const rules = specifiedRules.filter((rule) => rule !== NoUnusedVariablesRule);

describe('a planned execution', () => {
  it.each([
    ['at once', { isAsync: false, isKind: false }],
    ['over time', { isAsync: true, isKind: false }],
    ['over time, with no mishap', { isAsync: true, isKind: true }],
  ])('answers what graphql-js answers, %s', async (_name, kind) => {
    const begin = Number(process.env['SEED'] ?? 1);
    let compared = 0;
    for (let seed = begin; compared < 200; seed += 1) {
      const text = documentOf(chance(`document ${seed}`));
      const document = parse(text);
      if (validate(schema, document, rules).length > 0) continue;
      compared += 1;
      const world = { seed, ...kind };
      const args = () => ({
        schema,
        document,
        variableValues,
        contextValue: seed,
        rootValue: source(world),
      });
      const expected = await executeByTheBook(args());
      // The second time the plan is there already.
      for (const result of [await execute(args()), await execute(args())]) {
        const view = kind.isAsync ? settled : (whole: ExecutionResult) => whole;
        expect(seen(view(result)), `SEED=${seed}\n${text}`).toEqual(seen(view(expected)));
      }
    }
  });

  it('takes variables as graphql-js does, and refuses them in its words', async () => {
    const begin = Number(process.env['SEED'] ?? 1);
    const document =
      parse(`query Q($text: String = "not given", $n: Int!, $times: [Int!], $box: Box,
        $pick: Pick, $colour: Colour! = GREEN, $boxes: [[Box]!]) {
      a { echo(text: $text, times: [1, $n], box: $box, pick: $pick)
        more: echo(times: $times, box: { size: $n, colour: $colour }, pick: { boxes: $boxes }) } }`);
    const errors = new Set<boolean>();
    for (let seed = begin; seed < begin + 1_000; seed += 1) {
      const given = variablesBy(chance(`variables ${seed}`));
      const rootValue = source({ seed: 1, isAsync: false, isKind: true });
      const args = () => ({ schema, document, variableValues: given, rootValue });
      const expected = await executeByTheBook(args());
      errors.add(expected.errors === undefined);
      for (const result of [await execute(args()), await execute(args())]) {
        expect(seen(result), `SEED=${seed}\n${JSON.stringify(given)}`).toEqual(seen(expected));
      }
    }
    expect(errors.size).toBe(2);
  });
});

/** Variables of that document, most of them as they should be. */
function variablesBy(next: () => number): Record<string, unknown> {
  const maybe = (made: () => unknown): unknown => {
    const fate = next();
    const odd = [
      null,
      undefined,
      'RED',
      '7',
      2.5,
      2 ** 40,
      true,
      {},
      [],
      [null],
      { size: 1, depth: 2 },
    ];
    return fate < 0.03 ? odd[Math.floor(next() * odd.length)] : made();
  };
  const box = (depth: number): unknown =>
    maybe(() => ({
      size: maybe(() => 3),
      ...(next() < 0.5 ? { colour: maybe(() => 'GREEN') } : {}),
      ...(next() < 0.3 ? { name: maybe(() => 'a box') } : {}),
      ...(depth > 0 && next() < 0.5 ? { inside: maybe(() => [box(depth - 1)]) } : {}),
    }));
  const picks = [
    { number: 1 },
    { word: 'x' },
    { boxes: [[box(1)], []] },
    { boxes: box(0) },
    { number: 1, word: 'x' },
    { number: null },
    {},
  ];
  const all = {
    text: maybe(() => 'given'),
    n: maybe(() => 7),
    times: maybe(() => (next() < 0.5 ? [1, maybe(() => 2)] : 3)),
    box: box(2),
    pick: maybe(() => picks[Math.floor(next() * picks.length * 1.2)] ?? picks[0]),
    colour: maybe(() => 'RED'),
    boxes: maybe(() => [[box(1), null], box(0)]),
    unknown: 1,
  };
  return Object.fromEntries(Object.entries(all).filter(() => next() < 0.9));
}
