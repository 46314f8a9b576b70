import { getOperationAST, GraphQLError, OperationTypeNode, type ExecutionResult } from 'graphql';
import type { Authority } from '../domain/app/app.ts';
import type { Viewer } from '../domain/session/session.ts';
import type { Api, AuthFailure } from './api.ts';
import type { Budgets } from './budgets.ts';
import { execute } from './execution.ts';
import { checkParams, requestError } from './params.ts';
import { subscribeAfresh } from './subscribe.ts';

/** Who sent a request. */
export interface Caller {
  readonly viewer: Viewer | null;
  /** Why the token that came with it makes nobody a viewer. */
  readonly authFailure: AuthFailure | null;
  /** Of the server key that came with it. */
  readonly authority: Authority | null;
  /** Whose address it counts for. */
  readonly address: string;
}

/** An answer, or the events of a subscription. */
export type Result = ExecutionResult | AsyncIterable<ExecutionResult>;

export interface OperationDeps {
  readonly api: Api;
  readonly budgets: Pick<Budgets, 'admit'>;
}

/**
 * Does what a request over HTTP asks for: checked, admitted, read and executed, as on sockets.
 * @param given the request's JSON, of any form.
 * @param method a GET may be sent by whoever makes a link, so it changes nothing.
 */
export function perform(
  { api, budgets }: OperationDeps,
  { viewer, authFailure, address, authority }: Caller,
  given: unknown,
  method: string | undefined,
): Result | Promise<Result> {
  const { query, operationName, variables } = checkParams(given);
  const asked = { viewer, address, text: query, variables };
  const { document, errors } = budgets.admit(asked, (text, mayRead) => api.prepare(text, mayRead));
  if (errors) return { errors };
  const operation = getOperationAST(document, operationName)?.operation;
  if (!operation) return { errors: [requestError(400, noOperation)] };
  if (operation === OperationTypeNode.MUTATION && method === 'GET') {
    return { errors: [requestError(405, 'A mutation is sent by POST.')] };
  }
  const { schema } = api;
  const contextFor = () => api.contextFor(viewer, authFailure, address, authority);
  if (operation === OperationTypeNode.SUBSCRIPTION) {
    const args = { schema, document, operationName, variableValues: variables };
    return subscribeAfresh(args, contextFor);
  }
  const contextValue = contextFor();
  return execute({ schema, document, operationName, variableValues: variables, contextValue });
}

/** Why no operation of a document can be executed. */
export const noOperation = 'operationName must name one operation of the document.';

/** What was thrown on the way, as a result. @throws what is no error of the request. */
export function refusal(thrown: unknown): ExecutionResult {
  if (thrown instanceof GraphQLError) return { errors: [thrown] };
  throw thrown;
}
