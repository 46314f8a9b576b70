import {
  buildSchema,
  isObjectType,
  parse,
  validate,
  type GraphQLSchema,
  type ExecutionResult,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { execute } from '../../src/gate/execution.ts';
import { refusedUnexecuted } from '../../src/gate/execution-refusal.ts';
import { Fault } from '../../src/lib/fault.ts';
import { presentErrors } from '../../src/resolvers/errors.ts';

const fault = new Fault('UNAVAILABLE', 'Too many writes are waiting.', { retryAfterMs: 321 });
/** With what the note was asked; null: it answers null. */
interface World {
  readonly isBusy: boolean;
  readonly asked: unknown[];
}

function schemaOf(): GraphQLSchema {
  const schema = buildSchema(`
    input In { to: ID! size: Int! = 7 }
    type Sent { id: ID! }
    type Query { send(input: In!): Sent! }
    type Mutation { send(input: In!, note: String): Sent! maybe(input: In!): Sent other: Int! }
  `);
  for (const type of [schema.getQueryType(), schema.getMutationType()]) {
    if (!isObjectType(type)) continue;
    for (const name of ['send', 'maybe']) {
      const field = type.getFields()[name];
      if (!field) continue;
      field.extensions = {
        busy: (args: unknown, { isBusy, asked }: World) => {
          asked.push(args);
          return isBusy ? fault : null;
        },
      };
      field.resolve = () => {
        throw fault;
      };
    }
  }
  return schema;
}

const schema = schemaOf();
const presented = ({ errors, data = null }: ExecutionResult) =>
  JSON.stringify({
    errors:
      errors &&
      presentErrors(errors, (bug) => {
        throw bug;
      }),
    data,
  });

function given(text: string, variableValues?: Record<string, unknown>, isBusy = true) {
  const document = parse(text);
  expect(validate(schema, document)).toEqual([]);
  const asked: unknown[] = [];
  const world: World = { isBusy, asked };
  const args = { schema, document, variableValues, contextValue: world };
  return { args, asked };
}

describe('a mutation that says it would be refused', () => {
  it.each([
    ['by variables', 'mutation M($in: In!) { send(input: $in) { id } }', { in: { to: 'x' } }],
    ['by literals', 'mutation { send(input: { to: "x", size: 3 }, note: null) { id } }', undefined],
    [
      'by both',
      'mutation ($to: ID!) {\n\n  again: send(\n input: { to: $to }) { __typename } }',
      { to: 'x' },
    ],
    [
      'by a fragment',
      'mutation { ...all }\nfragment all on Mutation { send(input: { to: "x" }) { id } }',
      undefined,
    ],
    [
      'twice the same',
      'mutation { send(input: { to: "x" }) { id } send(input: { to: "x" }) { __typename } }',
      undefined,
    ],
  ])('is answered as its execution would be: asked %s', async (_name, text, variables) => {
    const { args } = given(text, variables);
    const refused = refusedUnexecuted(args);
    expect(refused?.errors?.[0]?.extensions).toMatchObject({ retryAfterMs: 321, retryable: true });
    expect(JSON.stringify(refused)).toBe(presented(await execute(args)));
  });

  it('is asked with its arguments as they came, unchecked', () => {
    const mutation = 'mutation ($in: In!, $to: ID!) { send(input: $in, note: "n") { id } }'.replace(
      ', $to: ID!',
      '',
    );
    const { args, asked } = given(mutation, { in: 'no input' });
    expect(refusedUnexecuted(args)).not.toBeNull();
    const literal = given('mutation ($to: ID!) { send(input: { to: $to, size: 3 }) { id } }', {
      to: 5,
    });
    expect(refusedUnexecuted(literal.args)).not.toBeNull();
    const missing = given('mutation ($in: In!) { send(input: $in) { id } }');
    expect(refusedUnexecuted(missing.args)).not.toBeNull();
    expect([asked, literal.asked, missing.asked]).toEqual([
      [{ input: 'no input', note: 'n' }],
      [{ input: { to: 5, size: 3 } }],
      [{ input: undefined }],
    ]);
  });

  it.each([
    ['it is not busy', 'mutation { send(input: { to: "x" }) { id } }', false],
    ['another field stands beside it', 'mutation { other send(input: { to: "x" }) { id } }', true],
    ['nothing but others', 'mutation { other }', true],
    ['it may be null', 'mutation { maybe(input: { to: "x" }) { id } }', true],
    ['it is a query', '{ send(input: { to: "x" }) { id } }', true],
    ['a directive decides', 'mutation { send(input: { to: "x" }) @skip(if: true) { id } }', true],
  ])('is executed where %s', (_name, text, isBusy) => {
    expect(refusedUnexecuted(given(text, undefined, isBusy).args)).toBeNull();
  });
});
