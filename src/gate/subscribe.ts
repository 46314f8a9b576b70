import { setTimeout as pause } from 'node:timers/promises';
import { createSourceEventStream, type ExecutionArgs, type ExecutionResult } from 'graphql';
import { Fault, faultOf } from '../lib/fault.ts';
import { execute } from './execution.ts';

/**
 * Begins a subscription for one subscriber, each event executed with a context of its own: what one event read is
 * nothing that the next may show. An event of which nothing can be shown since the viewer may see it no more (they have
 * just left) is passed over.
 * @returns the errors where it is refused.
 */
export async function subscribeAfresh(
  args: ExecutionArgs,
  freshContext: () => object,
): Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult> {
  const source = await createSourceEventStream({ ...args, contextValue: freshContext() });
  if (!(Symbol.asyncIterator in source)) return source;
  const events = source[Symbol.asyncIterator]();
  const results: AsyncIterableIterator<ExecutionResult> = {
    async next() {
      for (;;) {
        const step = await events.next();
        if (step.done) return { value: undefined, done: true };
        const result = await executeEvent(() =>
          execute({ ...args, rootValue: step.value, contextValue: freshContext() }),
        );
        if (!isOutOfSight(result)) return { value: result, done: false };
      }
    },
    async return() {
      await events.return?.();
      return { value: undefined, done: true };
    },
    [Symbol.asyncIterator]: () => results,
  };
  return results;
}

/** How often an event is tried, and how long is waited before the second time, in ms; twice as long before each after. */
const triesMax = 5;
const firstPauseMs = 100;

/**
 * Executes an event. One that cannot be shown for now (a shard does not answer, too many wait) is tried again: told as an
 * error it would be lost to whoever goes on from the cursor of a later one.
 * @throws {Fault} UNAVAILABLE where it stays so: the subscription ends, and is resumed from the last cursor.
 */
export async function executeEvent(
  once: () => ExecutionResult | Promise<ExecutionResult>,
): Promise<ExecutionResult> {
  for (let tries = 1; ; tries += 1) {
    const result = await once();
    const fault = passingFault(result);
    if (!fault) return result;
    if (tries === triesMax) throw fault;
    await pause(firstPauseMs * 2 ** (tries - 1));
  }
}

function passingFault({ errors = [] }: ExecutionResult): Fault | null {
  for (const { originalError } of errors) {
    const fault = faultOf(originalError);
    if (fault?.code === 'UNAVAILABLE') return fault;
  }
  return null;
}

/** Whether nothing of an event can be shown, since its viewer may see it no more. */
export function isOutOfSight({ data, errors }: ExecutionResult): boolean {
  if (!errors || errors.length === 0) return false;
  const isEmpty = data == null || Object.values(data).every((value) => value === null);
  return (
    isEmpty &&
    errors.every(
      ({ originalError }) => originalError instanceof Fault && originalError.code === 'NOT_FOUND',
    )
  );
}
