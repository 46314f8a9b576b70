import {
  GraphQLError,
  valueFromASTUntyped,
  type ExecutionArgs,
  type FormattedExecutionResult,
  type SourceLocation,
} from 'graphql';
import type { Fault } from '../lib/fault.ts';
import { planFor } from './execution.ts';
import type { FieldPlan } from './execution-plan.ts';

type Values = Readonly<Record<string, unknown>>;
/** The note `busy` of a field. */
type Busy = (args: Values, context: unknown) => Fault | null;

/** A mutation of one field that may be refused unexecuted. */
interface Refusable {
  readonly field: FieldPlan;
  readonly busy: Busy;
  readonly locations: readonly SourceLocation[];
}

const refusables = new WeakMap<FieldPlan, Refusable | null>();

/**
 * The answer to a mutation whose one field says that it would be refused now, whatever it says: the same that its
 * execution would give. Null: it is executed.
 *
 * Where twice as much is offered as can be done, most of what is done is to refuse. Read, coerced, resolved, failed,
 * located and masked, a refused send took half as long as an accepted one.
 * @param args of a valid document.
 */
export function refusedUnexecuted(args: ExecutionArgs): FormattedExecutionResult | null {
  const plan = planFor(args);
  const refusable = plan?.isSerial ? refusableOf(plan.root) : null;
  if (!refusable) return null;
  const { field, busy, locations } = refusable;
  const fault = busy(givenTo(field, args.variableValues ?? {}), args.contextValue);
  if (!fault) return null;
  const { message, extensions } = fault;
  return { errors: [{ message, locations, path: [field.key], extensions }], data: null };
}

/** Its arguments as they came. */
function givenTo({ first }: FieldPlan, variables: Values): Values {
  const given: Record<string, unknown> = {};
  for (const { name, value } of first.arguments ?? []) {
    given[name.value] = valueFromASTUntyped(value, variables);
  }
  return given;
}

function refusableOf([field, ...others]: readonly FieldPlan[]): Refusable | null {
  if (!field || others.length > 0) return null;
  const known = refusables.get(field);
  if (known !== undefined) return known;
  const { busy } = field.definition.extensions as { readonly busy?: Busy };
  const { locations = [] } = new GraphQLError('', { nodes: field.nodes });
  const refusable = busy && field.isNonNull ? { field, busy, locations } : null;
  refusables.set(field, refusable);
  return refusable;
}
