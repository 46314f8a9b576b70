import { isUtf8 } from 'node:buffer';
import { GraphQLError } from 'graphql';

/** What a request over HTTP asks for, its form checked. */
export interface Params {
  readonly query: string;
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>> | undefined;
}

/** What a request may say; `extensions` are for others than us. */
const known: ReadonlySet<string> = new Set(['query', 'operationName', 'variables', 'extensions']);

/** What is wrong with a request itself, whatever its document says; the status is the answer's, whatever form that takes. */
export function requestError(status: 400 | 405 | 413, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { http: { status } } });
}

/** @throws {GraphQLError} where the text is no JSON. */
export function readJson(text: string, what = 'body'): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw requestError(400, `What stands as ${what} is no JSON.`);
  }
}

/**
 * Bytes as the text that they are: read as another one, a message would be kept as nobody wrote it.
 * @throws {GraphQLError} where they are no UTF-8.
 */
export function readText(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString();
  throw requestError(400, 'The body is no UTF-8.');
}

/**
 * What the search of a URL asks for; of a name that stands there twice the first counts, others are no matter.
 * @throws {GraphQLError} where what should be JSON is none.
 */
export function readSearch(search: URLSearchParams): unknown {
  const json = (name: 'variables' | 'extensions'): unknown => {
    const text = search.get(name);
    return text === null ? undefined : readJson(text, name);
  };
  return {
    query: search.get('query') ?? undefined,
    operationName: search.get('operationName') ?? undefined,
    variables: json('variables'),
    extensions: json('extensions'),
  };
}

/** @throws {GraphQLError} where it is not what a request may be: each is one operation, for a batch would be many. */
export function checkParams(given: unknown): Params {
  if (!isRecord(given)) throw requestError(400, 'A request is one JSON object.');
  for (const name in given) {
    if (given[name] != null && !known.has(name)) {
      throw requestError(400, 'A request has query, operationName, variables and extensions.');
    }
  }
  const { query, operationName, variables, extensions } = given;
  if (typeof query !== 'string') throw requestError(400, 'A request has a query, a string.');
  if (operationName != null && typeof operationName !== 'string') {
    throw requestError(400, 'The operationName is a string.');
  }
  if (
    (variables != null && !isRecord(variables)) ||
    (extensions != null && !isRecord(extensions))
  ) {
    throw requestError(400, 'The variables are an object, and so are the extensions.');
  }
  return { query, operationName: operationName ?? undefined, variables: variables ?? undefined };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
