import type { ExecutionArgs, ExecutionResult, GraphQLSchema } from 'graphql';
import type { Viewer } from '../domain/session/session.ts';
import type { Api, Subscribing } from './api.ts';
import { execute } from './execution.ts';
import type { Plan } from './fan-out-plan.ts';
import { cursorHole, SharedText } from './fan-out-text.ts';
import { executeEvent, isOutOfSight } from './subscribe.ts';
import type { Paced, Telling } from '../realtime/pulled.ts';

/** What one thing that happened looks like to all subscribers of a group: null where it must be executed for each. */
type Shared = SharedText | null | Promise<SharedText | null>;

/**
 * All subscribers of one operation with the same variables: each thing that happens is executed once for them, by whoever
 * comes first, and serialised once. What that execution could not show without an error is executed for each by
 * themself, so nobody gets what somebody else's rights made of it.
 */
export class Group {
  readonly #api: Pick<Api, 'contextFor' | 'present'>;
  readonly #args: Pick<ExecutionArgs, 'schema' | 'document' | 'operationName' | 'variableValues'>;
  readonly #plan: Plan;
  /** By what happened; whether the message's reply is visible makes two. */
  readonly #shared = {
    whole: new WeakMap<object, Shared>(),
    hidden: new WeakMap<object, Shared>(),
  };

  constructor(
    api: Pick<Api, 'contextFor' | 'present'>,
    schema: GraphQLSchema,
    { document, operationName, variables }: Subscribing,
    plan: Plan,
  ) {
    this.#api = api;
    this.#plan = plan;
    this.#args = { schema, document, operationName, variableValues: variables };
  }

  /** An item as one subscriber sees it. */
  render<Item extends Paced, Event>(
    item: Item,
    telling: Telling<Item, Event>,
    viewer: Viewer | null,
  ): Shared {
    const key = this.#plan.isShared ? telling.shareKey(item) : null;
    const event = (): Event => telling.eventOf(item, cursorHole);
    if (!key) return this.#executeAlone(event(), viewer);
    const replyToSeq = this.#plan.showsReply ? telling.replyToSeq(item) : null;
    const isHidden = replyToSeq !== null && replyToSeq < item.joinedSeq;
    const shared = isHidden ? this.#shared.hidden : this.#shared.whole;
    let text = shared.get(key);
    if (text === undefined) {
      text = this.#executeShared(event(), viewer, (made) => shared.set(key, made));
      shared.set(key, text);
    }
    if (text === null) return this.#executeAlone(event(), viewer);
    if (!(text instanceof Promise)) return text;
    return text.then((made) => made ?? this.#executeAlone(event(), viewer));
  }

  /** At once where everything that is shown is at hand, as it is of most events. */
  #executeShared(
    event: unknown,
    viewer: Viewer | null,
    keep: (made: SharedText | null) => void,
  ): Shared {
    const first = this.#executeOnce(event, viewer);
    if (!(first instanceof Promise) && !first.errors) return new SharedText(JSON.stringify(first));
    return this.#executeSharedLater(event, viewer, first, keep);
  }

  async #executeSharedLater(
    event: unknown,
    viewer: Viewer | null,
    first: ExecutionResult | Promise<ExecutionResult>,
    keep: (made: SharedText | null) => void,
  ): Promise<SharedText | null> {
    let begun: typeof first | null = first;
    const result = await executeEvent(() => {
      const once = begun ?? this.#executeOnce(event, viewer);
      begun = null;
      return once;
    });
    const made = result.errors ? null : new SharedText(JSON.stringify(result));
    keep(made);
    return made;
  }

  async #executeAlone(event: unknown, viewer: Viewer | null): Promise<SharedText | null> {
    const result = await this.#execute(event, viewer);
    if (!result.errors) return new SharedText(JSON.stringify(result));
    if (isOutOfSight(result)) return null;
    const { data = null, errors } = result;
    return new SharedText(JSON.stringify({ data, errors: this.#api.present(errors) }));
  }

  #execute(event: unknown, viewer: Viewer | null): Promise<ExecutionResult> {
    return executeEvent(() => this.#executeOnce(event, viewer));
  }

  #executeOnce(event: unknown, viewer: Viewer | null): ExecutionResult | Promise<ExecutionResult> {
    const { schema, document, operationName, variableValues } = this.#args;
    // One by one: a copy that gets more has a hidden class of its own each time, which is dear.
    return execute({
      schema,
      document,
      operationName,
      variableValues,
      rootValue: event,
      contextValue: this.#api.contextFor(viewer),
    });
  }
}
