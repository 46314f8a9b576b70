import { GraphQLError, Kind, type ValueNode } from 'graphql';
import { builder } from './builder.ts';

/** Deeper than anything that is kept; it only bounds the walk over a stranger's value. */
const jsonDepthMax = 100;

/** The instant that was shown last: what one commit wrote happened at one time, and is told at once. */
let shown = { ms: 0, text: '1970-01-01T00:00:00.000Z' };

builder.scalarType('DateTime', {
  description: 'An instant, RFC 3339 in UTC with milliseconds: 2026-11-23T08:00:00.000Z.',
  specifiedByURL: 'https://scalars.graphql.org/andimarek/date-time.html',
  serialize: (ms) => {
    if (!Number.isSafeInteger(ms)) throw new TypeError('A DateTime is whole ms since 1970.');
    if (ms !== shown.ms) shown = { ms, text: new Date(ms).toISOString() };
    return shown.text;
  },
  parseValue: (value) => {
    const ms = typeof value === 'string' ? Date.parse(value) : NaN;
    if (Number.isNaN(ms) || new Date(ms).toISOString() !== value) {
      throw new GraphQLError('A DateTime is written like 2026-11-23T08:00:00.000Z.');
    }
    return ms;
  },
});

builder.scalarType('InboxCursor', {
  description:
    "A position in the viewer's inbox, their own sync timeline. Opaque; keep the last one you processed and\n" +
    'hand it back to resume. It stays valid over reconnects, on other gates and over restarts of the server, for as\n' +
    'long as the log reaches back (up to 7 days, at least the last 2,000 events).',
  serialize: (cursor) => cursor,
  parseValue: (value) => {
    if (typeof value === 'string') return value;
    throw new GraphQLError('An InboxCursor is a string.');
  },
});

builder.scalarType('MinorUnits', {
  description: 'An amount of money in minor units (cents, fen): an integer, exact up to 2^53 - 1.',
  serialize: (amount) => {
    const units = Number(amount);
    if (!Number.isSafeInteger(units)) throw new TypeError('Money is whole, and exact as a number.');
    return units;
  },
  parseValue: minorUnits,
  parseLiteral: (node) => minorUnits(node.kind === Kind.INT ? Number(node.value) : null),
});

function minorUnits(value: unknown): bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  throw new GraphQLError('MinorUnits are an integer, at most 2^53 - 1.');
}

builder.scalarType('JSON', {
  description: 'Any JSON value.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259',
  serialize: (value) => value,
  parseValue: (value) => {
    checkJson(value, 0);
    return value;
  },
  parseLiteral: (node, variables) => {
    const value = fromLiteral(node, variables ?? {}, 0);
    checkJson(value, 0);
    return value;
  },
});

function checkJson(value: unknown, depth: number): void {
  if (depth > jsonDepthMax) throw new GraphQLError('The JSON value nests too deep.');
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new GraphQLError('A JSON number must be finite.');
  }
  if (typeof value !== 'object' || value === null) return;
  for (const item of Object.values(value)) checkJson(item, depth + 1);
}

function fromLiteral(
  node: ValueNode,
  variables: Readonly<Record<string, unknown>>,
  depth: number,
): unknown {
  if (depth > jsonDepthMax) throw new GraphQLError('The JSON value nests too deep.');
  switch (node.kind) {
    case Kind.NULL:
      return null;
    case Kind.STRING:
    case Kind.BOOLEAN:
      return node.value;
    case Kind.INT:
    case Kind.FLOAT:
      return Number(node.value);
    case Kind.LIST:
      return node.values.map((item) => fromLiteral(item, variables, depth + 1));
    case Kind.OBJECT:
      return Object.fromEntries(
        node.fields.map(({ name, value }) => [
          name.value,
          fromLiteral(value, variables, depth + 1),
        ]),
      );
    case Kind.VARIABLE:
      return variables[node.name.value] ?? null;
    case Kind.ENUM:
      throw new GraphQLError(`${node.value} is no JSON value; text stands in quotes.`);
  }
}
