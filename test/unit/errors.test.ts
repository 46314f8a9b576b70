import { execute, GraphQLError, parse, subscribe, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import type { Services } from '../../src/doors.ts';
import { contextFor } from '../../src/resolvers/context.ts';
import { Fault } from '../../src/lib/fault.ts';
import { presentErrors, toGraphQLError } from '../../src/resolvers/errors.ts';
import { buildSchema } from '../../src/resolvers/schema.ts';
import { SqlError } from '../../src/storage/sql.ts';

const schema = buildSchema();
const refused = { code: 'INVALID_ARGUMENT', retryable: false };

function presented(errors: readonly GraphQLError[] | undefined) {
  const bugs: [unknown, string][] = [];
  const shown = presentErrors(errors ?? [], (bug, path) => bugs.push([bug, path]));
  return { shown, bugs };
}

/** Executes `gate`, which answers with what `ticket` does. */
async function gate(ticket: () => unknown, document: string, variables = {}) {
  const services = { gates: { ticket: async () => ticket() } } as never as Services;
  const result = await execute({
    schema,
    document: parse(document),
    variableValues: variables,
    contextValue: contextFor(null, services),
  });
  return presented(result.errors);
}

describe('an error as the client sees it', () => {
  it('says what a fault says, and no more', async () => {
    const { shown, bugs } = await gate(() => {
      throw new Fault('UNAVAILABLE', 'Busy.', { retryAfterMs: 50, cause: new Error('secret') });
    }, '{ gate { url } }');
    expect(shown).toEqual([
      {
        message: 'Busy.',
        path: ['gate'],
        locations: [{ line: 1, column: 3 }],
        extensions: { code: 'UNAVAILABLE', retryable: true, retryAfterMs: 50 },
      },
    ]);
    expect(bugs).toEqual([]);
  });

  it.each(['connection', 'deadlock', 'lockTimeout'] as const)(
    'tells a database that fails by %s as UNAVAILABLE, and no more of it',
    async (kind) => {
      const { shown, bugs } = await gate(() => {
        throw new SqlError(kind, 'secret', { cause: new Error('secret') });
      }, '{ gate { url } }');
      expect(shown).toMatchObject([
        { extensions: { code: 'UNAVAILABLE', retryable: true, retryAfterMs: 500 } },
      ]);
      expect(JSON.stringify(shown)).not.toContain('secret');
      expect(bugs).toEqual([]);
    },
  );

  it.each(['unique', 'other'] as const)('masks a database error of kind %s', async (kind) => {
    const bug = new SqlError(kind, 'secret');
    const { shown, bugs } = await gate(() => {
      throw bug;
    }, '{ gate { url } }');
    expect(shown).toMatchObject([{ extensions: { code: 'INTERNAL', retryable: true } }]);
    expect(bugs).toEqual([[bug, 'gate']]);
  });

  it('masks a bug, and reports it with its path', async () => {
    const bug = new TypeError('password is hunter2');
    const { shown, bugs } = await gate(() => {
      throw bug;
    }, '{ mine: gate { url } }');
    expect(shown).toMatchObject([
      {
        message: 'Something went wrong on our side.',
        extensions: { code: 'INTERNAL', retryable: true },
      },
    ]);
    expect(JSON.stringify(shown)).not.toContain('hunter2');
    expect(bugs).toEqual([[bug, 'mine']]);
  });

  it.each([
    ['a field that must not be null', { url: null }],
    ['a value that does not fit its scalar', { url: {} }],
  ])('takes %s for a bug of ours', async (_case, ticket) => {
    const { shown, bugs } = await gate(() => ticket, '{ gate { url } }');
    expect(shown[0]?.extensions).toMatchObject({ code: 'INTERNAL' });
    expect(bugs).toHaveLength(1);
  });

  it('says INVALID_ARGUMENT for what GraphQL refuses', async () => {
    const syntax = () => {
      try {
        return parse('{');
      } catch (error) {
        return error as GraphQLError;
      }
    };
    expect(presented([syntax() as GraphQLError]).shown[0]?.extensions).toEqual(refused);
    const [unknown] = validate(schema, parse('{ nothing }'));
    expect(presented([unknown!]).shown[0]?.extensions).toEqual(refused);

    const coercions = [
      ['query ($input: GateInput!) { gate(input: $input) { url } }', { input: { appId: 5 } }],
      ['query ($input: GateInput!) { gate(input: $input) { url } }', {}],
      ['query ($appId: String) { gate(input: { appId: $appId }) { url } }', { appId: null }],
    ] as const;
    for (const [document, variables] of coercions) {
      const { shown, bugs } = await gate(() => ({ url: 'ws://' }), document, variables);
      expect(
        shown.map(({ extensions }) => extensions),
        document,
      ).toEqual([refused]);
      expect(bugs).toEqual([]);
    }
  });

  it('tells nothing of the schema where that is hidden, whatever GraphQL would say', async () => {
    const document = 'query ($input: GateInput!) { gate(input: $input) { url } }';
    const literal = 'query ($appId: String) { gate(input: { appId: $appId }) { url } }';
    for (const [text, variables] of [
      [document, { input: { appI: 'x' } }],
      [document, {}],
      [literal, { appId: null }],
    ] as const) {
      const services = { gates: { ticket: async () => ({}) } } as never as Services;
      const { errors } = await execute({
        schema,
        document: parse(text),
        variableValues: variables,
        contextValue: contextFor(null, services),
      });
      const shown = presentErrors(errors ?? [], () => expect.unreachable(), true);
      expect(shown.map(({ message }) => message)).toEqual([
        'The request does not fit the schema; details and introspection are off here.',
      ]);
      expect(shown[0]?.extensions).toEqual(refused);
    }
    const fault = new GraphQLError('', { originalError: new Fault('NOT_FOUND', 'No such gate.') });
    expect(presentErrors([fault], () => undefined, true)).toMatchObject([
      { message: 'No such gate.' },
    ]);
  });

  it('masks a bug that has no path, since a stream met it', () => {
    const bug = new TypeError('password is hunter2');
    const { shown, bugs } = presented([new GraphQLError(bug.message, { originalError: bug })]);
    expect(shown).toMatchObject([{ extensions: { code: 'INTERNAL' } }]);
    expect(JSON.stringify(shown)).not.toContain('hunter2');
    expect(bugs).toEqual([[bug, '']]);
  });

  it('is the same for a refused subscription', async () => {
    const result = await subscribe({
      schema,
      document: parse('subscription { inbox { cursor } }'),
      contextValue: contextFor(null, { streams: {} } as Services, 'EXPIRED'),
    });
    expect(presented('errors' in result ? result.errors : undefined).shown).toMatchObject([
      {
        message: 'The access token has expired: refresh the session.',
        extensions: { code: 'UNAUTHENTICATED', retryable: false },
      },
    ]);
  });

  it('is left alone once made, and keeps what a server hangs on it', () => {
    const never = () => expect.unreachable();
    const once = toGraphQLError(new Fault('NOT_FOUND', 'No.'), never);
    expect(toGraphQLError(once, never)).toBe(once);
    const http = { status: 405 };
    const ofServer = toGraphQLError(new GraphQLError('POST!', { extensions: { http } }), never);
    expect(ofServer.extensions).toEqual({ ...refused, http });
  });
});
