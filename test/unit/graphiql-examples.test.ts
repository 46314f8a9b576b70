import { readFile } from 'node:fs/promises';
import {
  buildSchema,
  getVariableValues,
  isInterfaceType,
  Kind,
  parse,
  validate,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import { beforeAll, describe, expect, it } from 'vitest';
import { exampleTabs, type ExampleTab } from '../../graphiql/src/examples.ts';

const sdl = new URL('../../schema/schema.graphql', import.meta.url);

const operationsOf = (tab: ExampleTab): OperationDefinitionNode[] =>
  parse(tab.query).definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);

describe("GraphiQL's example tabs", () => {
  let schema: GraphQLSchema;
  beforeAll(async () => {
    schema = buildSchema(await readFile(sdl, 'utf8'));
  });

  it('lead from registration to a live inbox, and to money', () => {
    const names = exampleTabs.map((tab) => operationsOf(tab).map(({ name }) => name?.value));
    expect(names).toEqual([
      ['register', 'login'],
      ['openDirect', 'createGroup', 'findUser'],
      ['sendMessage'],
      ['history'],
      ['inbox'],
      ['wallet', 'sendRedPacket', 'claimRedPacket'],
    ]);
  });

  it.each(exampleTabs.map((tab, index) => [index + 1, tab] as const))(
    'tab %i is valid, with variables that fit each of its operations',
    (_, tab) => {
      const problems = validate(schema, parse(tab.query));
      expect(problems.map(({ message }) => message)).toEqual([]);
      const variables = JSON.parse(tab.variables) as Record<string, unknown>;
      const used = new Set<string>();
      for (const { variableDefinitions = [] } of operationsOf(tab)) {
        expect(getVariableValues(schema, variableDefinitions, variables).errors).toBeUndefined();
        for (const { variable } of variableDefinitions) used.add(variable.name.value);
      }
      expect(Object.keys(variables).sort()).toEqual([...used].sort());
    },
  );

  it('say what they do, in lines that fit the pane', () => {
    for (const { query, headers } of exampleTabs) {
      expect(query).toMatch(/^# /);
      for (const line of query.split('\n')) {
        // What a window of 1280 pixels shows beside the buttons; a comment has no end to guess.
        expect(line.length).toBeLessThanOrEqual(line.startsWith('#') ? 54 : 64);
      }
      expect(JSON.parse(headers)).toBeTypeOf('object');
    }
  });

  it('show every kind of inbox event by name', () => {
    const inbox = exampleTabs.find(({ query }) => query.includes('subscription inbox'))!.query;
    const event = schema.getType('InboxEvent');
    if (!isInterfaceType(event)) throw new Error('InboxEvent is no interface');
    for (const { name } of schema.getImplementations(event).objects) {
      expect(inbox).toContain(`... on ${name} {`);
    }
  });
});
