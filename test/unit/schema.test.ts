import { readFile } from 'node:fs/promises';
import {
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
  OperationTypeNode,
  validate,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { printContract, staleFiles } from '../../codegen.ts';
import * as documents from '../../client/generated/documents.ts';
import { buildSchema } from '../../src/resolvers/schema.ts';

const schema = buildSchema();
const root = new URL('../../', import.meta.url).pathname;

/** Everything that the schema prints, by its name, with its description. */
function elements(): Map<string, string | null | undefined> {
  const found = new Map<string, string | null | undefined>();
  for (const type of Object.values(schema.getTypeMap())) {
    if (isIntrospectionType(type) || isSpecifiedScalarType(type)) continue;
    found.set(type.name, type.description);
    if (isEnumType(type)) {
      for (const { name, description } of type.getValues()) {
        found.set(`${type.name}.${name}`, description);
      }
    }
    if (isInputObjectType(type)) {
      for (const { name, description } of Object.values(type.getFields())) {
        found.set(`${type.name}.${name}`, description);
      }
    }
    if (isObjectType(type) || isInterfaceType(type)) {
      for (const field of Object.values(type.getFields())) {
        found.set(`${type.name}.${field.name}`, field.description);
        for (const { name, description } of field.args) {
          found.set(`${type.name}.${field.name}(${name})`, description);
        }
      }
    }
  }
  return found;
}

/** The fields that say how they differ from viewer to viewer. */
function perViewer(): Record<string, unknown> {
  const fields = Object.values(schema.getTypeMap())
    .filter((type) => isObjectType(type))
    .flatMap((type) =>
      Object.values(type.getFields()).map(
        (field) => [`${type.name}.${field.name}`, field] as const,
      ),
    );
  return Object.fromEntries(
    fields.flatMap(([name, { extensions }]) =>
      extensions['perViewer'] ? [[name, extensions['perViewer']]] : [],
    ),
  );
}

describe('the schema', () => {
  it('describes every type, field, argument and value', () => {
    const all = elements();
    expect(all.size).toBeGreaterThan(250);
    expect([...all].filter(([, description]) => !description?.trim())).toEqual([]);
  });

  it('is printed as it is committed, each time the same', async () => {
    const committed = await readFile(`${root}schema/schema.graphql`, 'utf8');
    expect(printContract()).toBe(committed);
    expect(printContract()).toBe(committed);
  });

  it('sees what is stale', async () => {
    const files = new Map([['schema/schema.graphql', printContract()]]);
    expect(await staleFiles(root, files)).toEqual([]);
    const edited = new Map([['schema/schema.graphql', `${printContract()}#`]]);
    expect(await staleFiles(root, edited)).toEqual(['schema/schema.graphql']);
    expect(await staleFiles(root, new Map([['schema/none', '']]))).toEqual(['schema/none']);
  });

  it('marks what differs from viewer to viewer, so that executions can be shared', () => {
    const cursors = [
      'ConversationAdvanced',
      'ConversationChanged',
      'ConversationRemoved',
      'InboxHeartbeat',
      'InboxReset',
      'MessageAdded',
      'MessageChanged',
      'ReadAdvanced',
      'WalletChanged',
    ].map((type) => [`${type}.cursor`, 'cursor']);
    expect(perViewer()).toEqual({
      ...Object.fromEntries(cursors),
      'Conversation.me': true,
      'RedPacket.myClaim': true,
      'Conversation.messages': true,
      'Conversation.message': true,
      'Conversation.messageChanges': true,
      'Member.unreadCount': true,
      'Message.replyTo': 'replyTo',
      'Session.isCurrent': true,
    });
  });
});

describe('the typed documents', () => {
  it('are valid, each alone, and cover the roots', () => {
    const used = new Set<string>();
    for (const [name, document] of Object.entries(documents)) {
      expect(validate(schema, document), name).toEqual([]);
      for (const definition of document.definitions) {
        if (definition.kind !== 'OperationDefinition') continue;
        for (const field of definition.selectionSet.selections) {
          if (field.kind === 'Field') used.add(`${definition.operation}.${field.name.value}`);
        }
      }
    }
    const offered = Object.values(OperationTypeNode).flatMap((operation) => {
      const type = schema.getRootType(operation);
      return Object.keys(type?.getFields() ?? {}).map((field) => `${operation}.${field}`);
    });
    // The operator's have commands of their own.
    expect(offered.filter((field) => !used.has(field)).sort()).toEqual([
      'mutation.setGateRules',
      'query.gateRules',
      'query.gates',
      'query.ledger',
      'query.node',
    ]);
  });
});
