import type { SignIn, SignedIn } from './sign-in.ts';

/** What one run of a tab sends. */
export interface GraphqlRequest {
  query: string;
  operationName?: string | null | undefined;
  variables?: Record<string, unknown> | undefined;
}

/** A header pane's content: names as the user wrote them. */
export type Headers = Readonly<Record<string, string>>;

/** The page's own address is the GraphQL endpoint. */
export const httpUrl = `${location.origin}${location.pathname}`;
export const wsUrl = httpUrl.replace(/^http/, 'ws');

/** One HTTP POST. Answers the GraphQL result; what is no GraphQL result is told as an error in one. */
export async function post(
  request: GraphqlRequest,
  headers: Headers,
  signal: AbortSignal | null = null,
): Promise<unknown> {
  const response = await fetch(httpUrl, {
    method: 'POST',
    signal,
    headers: {
      ...headers,
      'content-type': 'application/json',
      accept: 'application/graphql-response+json, application/json',
    },
    body: JSON.stringify(request),
  });
  const body = await response.text();
  try {
    return JSON.parse(body);
  } catch {
    return { errors: [{ message: `HTTP ${response.status} ${response.statusText}`, body }] };
  }
}

/** A request's headers, apart: who asks, and the rest. */
export interface Identity {
  /** Null: nobody, anonymous. */
  readonly accessToken: string | null;
  /** Set where the page's own sign-in stands in for the headers pane. */
  readonly signIn: SignedIn | null;
  readonly others: Headers;
}

/** The headers pane always wins; where it names nobody, the page's own sign-in does. */
export async function identify(pane: Headers, signIn: SignIn): Promise<Identity> {
  const entries = Object.entries(pane);
  const isAuthorization = ([name]: [string, string]): boolean =>
    name.toLowerCase() === 'authorization';
  const given = (entries.find(isAuthorization)?.[1] ?? '').trim();
  const others = Object.fromEntries(entries.filter((entry) => !isAuthorization(entry)));
  const bearer = /^bearer\b\s*/i;
  if (given.replace(bearer, '') !== '') {
    return { accessToken: given.replace(bearer, ''), signIn: null, others };
  }
  const own = await signIn.token();
  return { accessToken: own?.accessToken ?? null, signIn: own, others };
}

export function httpHeaders({ accessToken, others }: Identity): Headers {
  return accessToken === null ? others : { ...others, Authorization: `Bearer ${accessToken}` };
}
