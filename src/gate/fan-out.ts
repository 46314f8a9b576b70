import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLError,
} from 'graphql';
import { assert } from '../lib/assert.ts';
import type { Api, FanOutEngine, Subscribing } from './api.ts';
import { Group } from './fan-out-group.ts';
import { planOf, type Plan } from './fan-out-plan.ts';
import { Subscriber } from './fan-out-subscriber.ts';
import { Pulled, type Paced } from '../realtime/pulled.ts';

/** The subscriptions whose events many may share. */
const sharedFields: ReadonlySet<string> = new Set(['inbox', 'conversation']);

interface Operation {
  readonly plan: Plan | null;
  /** By the values of the variables that bear on what an event shows. */
  readonly groups: Map<string, { readonly group: Group; subscribers: number }>;
}

/**
 * Executes the events of `inbox` and `conversation` once for all subscribers of the same operation, and writes their frames
 * itself: what differs from one to the other, the cursor and the operation's id, is put into the shared text.
 */
export class FanOut implements FanOutEngine {
  readonly #api: Pick<Api, 'contextFor' | 'present'>;
  readonly #operations = new WeakMap<DocumentNode, Map<string, Operation>>();

  constructor(api: Pick<Api, 'contextFor' | 'present'>) {
    this.#api = api;
  }

  async adopt(
    subscribing: Subscribing,
  ): Promise<AsyncIterableIterator<ExecutionResult> | readonly GraphQLError[] | null> {
    const operation = this.#operationOf(subscribing);
    const { plan } = operation;
    if (!plan || !sharedFields.has(plan.rootField)) return null;
    const { connection, schema, document, operationName, variables, contextValue, viewer } =
      subscribing;
    const source = await createSourceEventStream({
      schema,
      document,
      operationName,
      variableValues: variables,
      contextValue,
    });
    if (!(Symbol.asyncIterator in source)) return source.errors ?? [];
    assert(isPulled(source), 'the streams of these fields are pulled');
    const pulled = source;
    const key = JSON.stringify(plan.variables.map((name) => variables?.[name] ?? null));
    const known = operation.groups.get(key);
    const entry = known ?? {
      group: new Group(this.#api, schema, subscribing, plan),
      subscribers: 0,
    };
    if (!known) operation.groups.set(key, entry);
    entry.subscribers += 1;
    return new Subscriber({
      pulled,
      connection,
      operationId: subscribing.operationId,
      render: (item) => entry.group.render(item, pulled.telling, viewer),
      onEnd: () => {
        entry.subscribers -= 1;
        if (entry.subscribers === 0) operation.groups.delete(key);
      },
    });
  }

  #operationOf({ schema, document, operationName }: Subscribing): Operation {
    const byName = this.#operations.get(document) ?? new Map<string, Operation>();
    this.#operations.set(document, byName);
    const name = operationName ?? '';
    const known = byName.get(name);
    if (known) return known;
    const operation = { plan: planOf(schema, document, operationName), groups: new Map() };
    byName.set(name, operation);
    return operation;
  }
}

function isPulled(stream: object): stream is Pulled<Paced, unknown> {
  return stream instanceof Pulled;
}
