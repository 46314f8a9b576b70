import {
  execute as executeUnplanned,
  getOperationAST,
  getVariableValues,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLError,
  type OperationDefinitionNode,
} from 'graphql';
import { planOf, type Plan } from './execution-plan.ts';
import { isPromise, Run } from './execution-run.ts';

type Data = NonNullable<ExecutionResult['data']>;

/** Of documents that are kept. */
const plans = new WeakMap<OperationDefinitionNode, Plan | null>();
/** As graphql-js has it. */
const coercionErrorsMax = 50;

/**
 * graphql-js' `execute` for documents that are kept and executed again: what follows from the
 * document alone is found out once. It answers the same, errors included; what it has no plan for it
 * leaves to graphql-js.
 *
 * graphql-js looks up type, arguments and path of each field again for each object that has it: of
 * the cost of a page of fifty messages that was the half.
 * @param args of a valid document.
 */
export function execute(args: ExecutionArgs): ExecutionResult | Promise<ExecutionResult> {
  const plan = planFor(args);
  if (!plan) return executeUnplanned(args);
  const given = args.variableValues ?? {};
  let variables = plan.coerceVariables?.(given);
  if (!variables) {
    const { errors, coerced } = getVariableValues(
      plan.schema,
      plan.operation.variableDefinitions ?? [],
      given,
      { maxErrors: coercionErrorsMax, hideSuggestions: args.hideSuggestions ?? false },
    );
    if (errors) return { errors };
    variables = coerced;
  }
  const run = new Run(plan, args.rootValue, args.contextValue, variables);
  const failed = (error: unknown): ExecutionResult => {
    // Whatever fails in a run has been located by it.
    run.note(error as GraphQLError, undefined);
    return answer(run, null);
  };
  try {
    const data = plan.isSerial
      ? run.fieldsInTurn(plan.root, args.rootValue)
      : run.fields(plan.root, args.rootValue, undefined);
    return isPromise(data)
      ? data.then((values) => answer(run, values as Data), failed)
      : answer(run, data as Data);
  } catch (error) {
    return failed(error);
  }
}

/** The plan of what is to be executed; null where there is none. */
export function planFor(args: ExecutionArgs): Plan | null {
  const { schema, document, operationName } = args;
  if (args.fieldResolver || args.typeResolver || args.options) return null;
  const operation = getOperationAST(document, operationName);
  if (!operation) return null;
  const known = plans.get(operation);
  if (known === null || known?.schema === schema) return known;
  const plan = planOf(schema, document, operation);
  plans.set(operation, plan);
  return plan;
}

function answer({ errors }: Run, data: Data | null): ExecutionResult {
  return errors.length === 0 ? { data } : { errors, data };
}
