import type { IncomingMessage, ServerResponse } from 'node:http';
import { createAnswerer, type AnswererDeps } from './answer.ts';
import type { Api } from './api.ts';
import { readBody } from './body.ts';
import { perform, refusal, type Caller, type OperationDeps, type Result } from './operation.ts';
import { readJson, readText } from './params.ts';

export interface PostDeps extends OperationDeps, AnswererDeps {
  readonly api: Api;
  readonly limits: AnswererDeps['limits'] & { readonly httpBodyBytesMax: number };
}

/**
 * The short road of the request that nearly all are: JSON by POST. By it a cheap one costs a third of what it costs by way
 * of a Request, Yoga and a Response of the Fetch API; it differs from the other road in nothing that can be seen.
 */
export function createPostHandler(
  deps: PostDeps,
): (request: IncomingMessage, response: ServerResponse, caller: Caller) => Promise<void> {
  const answer = createAnswerer(deps);
  return async (request, response, caller) => {
    let result: Result;
    try {
      const body = await readBody(request, deps.limits.httpBodyBytesMax);
      if (body === null) return;
      result = await perform(deps, caller, readJson(readText(body)), 'POST');
    } catch (error) {
      result = refusal(error);
    }
    const answered = await answer(response, caller, request.headers.accept, result);
    if (answered) response.writeHead(answered.status, answered.headers).end(answered.body);
  };
}
