import { getIntrospectionQuery, print } from 'graphql';
import { describe, expect, it } from 'vitest';
import * as documents from '../../client/generated/documents.ts';
import { limits } from '../../src/limits.ts';
import { prepareDocument } from '../../src/resolvers/document-limits.ts';
import { buildSchema } from '../../src/resolvers/schema.ts';

const schema = buildSchema();
const refusal = (text: string) => prepareDocument(schema, text).errors?.[0]?.message;
const many = (count: number, make: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => make(at)).join(' ');

describe('the limits of a document', () => {
  it('let pass all that the client and GraphiQL send', () => {
    for (const [name, document] of Object.entries(documents)) {
      expect(refusal(print(document)), name).toBeUndefined();
    }
    expect(refusal(getIntrospectionQuery())).toBeUndefined();
    const all = { oneOf: true, specifiedByUrl: true, inputValueDeprecation: true };
    expect(refusal(getIntrospectionQuery(all))).toBeUndefined();
  });

  it('let no condition leave a subscription without its field', () => {
    const fragment = 'fragment F on Subscription { inbox @skip(if: true) { at } }';
    for (const body of [
      '{ inbox @include(if: false) { at } }',
      '{ ... @skip(if: true) { inbox { at } } }',
      `{ ...F } ${fragment}`,
      '{ ...F @include(if: false) } fragment F on Subscription { inbox { at } }',
    ]) {
      expect(refusal(`subscription ${body}`), body).toMatch('cannot be under');
    }
    expect(refusal('subscription { inbox { at @skip(if: true) cursor } }')).toBeUndefined();
  });

  it('bound its tokens', () => {
    expect(
      refusal(`{ viewer { ${many(limits.documentTokensMax, () => 'unreadCount')} } }`),
    ).toMatch(/more \w+ 4000 tokens/);
  });

  it('bound its depth, however it is reached', () => {
    const deep = (levels: number) =>
      `${'{ lastMessage '.repeat(levels)}{ id }${' }'.repeat(levels)}`;
    const thread = (levels: number) =>
      `{ node(id: "m_1_1") { ... on Message ${deep(levels).replaceAll('lastMessage', 'replyTo')} } }`;
    expect(refusal(thread(limits.documentDepthMax - 2))).toBeUndefined();
    expect(refusal(thread(limits.documentDepthMax - 1))).toMatch('17 levels');
    const spread = many(16, (at) => `fragment F${at} on Message { replyTo { ...F${at + 1} } }`);
    expect(
      refusal(`{ node(id: "m_1_1") { ...F0 } } ${spread} fragment F16 on Message { id }`),
    ).toMatch('18 levels');
  });

  it('bound its aliases and repeated fields, fragments spread', () => {
    const max = limits.documentAliasesMax;
    const aliases = (count: number) =>
      `{ viewer { ${many(count, (at) => `a${at}: unreadCount`)} } }`;
    expect(refusal(aliases(max))).toBeUndefined();
    expect(refusal(aliases(max + 1))).toMatch('101 aliases');
    const twice = many(
      8,
      (at) => `fragment F${at} on User { a: id ...F${at + 1} b: id ...F${at + 1} }`,
    );
    expect(refusal(`{ viewer { user { ...F0 } } } ${twice} fragment F8 on User { id }`)).toMatch(
      'aliases',
    );
    expect(refusal(`{ viewer { ${many(max + 2, () => 'user { id }')} } }`)).toMatch('101 aliases');
    expect(refusal(`{ viewer { ${many(max + 2, () => '... { user { id } }')} } }`)).toMatch('101');
    const apart = many(max + 2, (at) => `fragment F${at} on Viewer { user { id } }`);
    expect(refusal(`{ viewer { ${many(max + 2, (at) => `...F${at}`)} } } ${apart}`)).toMatch('101');
  });

  it('bound its directives', () => {
    const skips = '@skip(if: false)'.repeat(limits.documentDirectivesMax + 1);
    expect(refusal(`{ viewer { unreadCount ${skips} } }`)).toMatch('51 directives');
  });

  it('bound its cost by the size of its pages', () => {
    const nested = (outer: string, inner: string) =>
      `query ($n: Int! = 1) { viewer { ${outer === '$n' ? '' : 'inbox(first: $n) { hasMore }'} conversations(first: ${outer}) { edges { node {
         messages(last: ${inner}) { edges { node { id seq changeSeq createdAt } } } } } } } }`;
    expect(refusal(nested('50', '20'))).toBeUndefined();
    expect(refusal(nested('200', '200'))).toMatch('The document costs');
    expect(refusal(nested('$n', '200')), 'a variable may hold anything').toMatch('costs');
    expect(refusal(nested('200', '-1'))).toBeUndefined();
  });

  it('let few passwords be tried in one document', () => {
    const input = 'input: { username: "a", password: "b", device: { id: "c" } }';
    const logins = (count: number) =>
      `mutation { ${many(count, (at) => `a${at}: login(${input}) { accessToken }`)} }`;
    expect(refusal(logins(1))).toBeUndefined();
    expect(refusal(logins(5))).toMatch('costs');
  });

  it('count of kinds that exclude each other the dearest', () => {
    const kinds = many(40, () => '... on MessageAdded { message { id } }');
    expect(refusal(`{ viewer { inbox(first: 1000) { events { ${kinds} } } } }`)).toBeUndefined();
  });

  it('end for fragments within themselves, which validation refuses', () => {
    const cycle = 'fragment A on User { ...B } fragment B on User { ...A id }';
    expect(refusal(`{ viewer { user { ...A } } } ${cycle}`)).toMatch('within itself');
  });

  it('bound its length and its operations', () => {
    const long = `{ __typename } # ${'x'.repeat(limits.documentCharsMax)}`;
    expect(refusal(long)).toMatch('65553 characters');
    const operations = (count: number) => many(count, (at) => `query Q${at} { __typename }`);
    expect(refusal(operations(limits.documentOperationsMax))).toBeUndefined();
    expect(refusal(operations(limits.documentOperationsMax + 1))).toMatch('51 operations');
  });

  it('count what introspection shows', () => {
    const kinds = 'kind name ofType { kind name ofType { kind name ofType { kind name } } }';
    const types = `fragment T on __Schema { types { name fields { name args { name type { ${kinds} } } type { ${kinds} } } } }`;
    const asked = (count: number) =>
      `{ ${many(count, (at) => `a${at}: __schema { ...T }`)} } ${types}`;
    expect(refusal(asked(3))).toBeUndefined();
    expect(refusal(asked(90))).toMatch('The document costs');
    const circular = `{ __schema { types ${'{ fields { type '.repeat(5)}{ name }${' } }'.repeat(5)} } }`;
    expect(refusal(circular)).toMatch('introspection depth');
  });

  it('hide the schema where introspection is off', () => {
    const hidden = { ...limits, allowsIntrospection: false };
    const [unread] = prepareDocument(schema, 'queryy { __typename }', hidden).errors ?? [];
    expect(unread?.message).toBe('The document cannot be parsed.');
    expect(unread?.locations).toEqual([{ line: 1, column: 1 }]);
    const [first] =
      prepareDocument(schema, '{ __schema { queryType { name } } }', hidden).errors ?? [];
    expect(first?.message).toMatch('introspection');
    const [misspelt] = prepareDocument(schema, '{ viewr { unreadCount } }', hidden).errors ?? [];
    expect(misspelt?.message).not.toMatch('Did you mean');
    expect(prepareDocument(schema, '{ viewer { __typename } }', hidden).errors).toBeUndefined();
  });

  it('answer in good time for documents made to be slow', () => {
    const inline = '... on User {'.repeat(700);
    const slow = `{ viewer { user { ${inline} id ${'}'.repeat(700)} } } }`;
    const began = performance.now();
    refusal(slow);
    refusal(`{ viewer { ${many(990, () => 'user { id }')} } }`);
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});
