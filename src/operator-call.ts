/** EX_UNAVAILABLE of sysexits.h. */
export const refusedExitCode = 69;

/** What went wrong, for the operator. */
export class Refusal extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** @throws {Refusal} where there is no answer, or one that is not to the request; with the server's faults where it has some. */
export type Ask = <T>(query: string, variables: object) => Promise<T>;

interface Result<T> {
  readonly data?: T | null;
  readonly errors?: readonly { message: string; extensions?: { code?: string } }[];
}

/** Asks the server at an address, with or without /graphql at its end, by the operator's key. */
export function askAt(url: string, key: string): Ask {
  return async <T>(query: string, variables: object): Promise<T> => {
    const answer = await fetch(`${url.replace(/\/(graphql)?$/, '')}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ query, variables }),
    }).catch((error: unknown) => {
      throw new Refusal(
        `No server answers at ${url} (${causeOf(error)}). Is that its address (--url, else HOST and PORT), ` +
          'does it run, and may this machine reach it?',
        refusedExitCode,
      );
    });
    const { data, errors } = await resultIn<T>(answer).catch(() => {
      throw new Refusal(
        `What answers at ${url} (${answer.status}) is no FastIM server: see --url.`,
        refusedExitCode,
      );
    });
    if (data && !errors) return data;
    const messages = (errors ?? []).map(({ message, extensions }) =>
      extensions?.code === 'UNAUTHENTICATED'
        ? `The server at ${url} has another operator key than DATA_DIR here: run this in its folder.`
        : `${extensions?.code ?? 'ERROR'}: ${message}`,
    );
    throw new Refusal(messages.join('\n'));
  };
}

async function resultIn<T>(answer: Response): Promise<Result<T>> {
  const result: unknown = await answer.json();
  if (typeof result !== 'object' || result === null) throw new Error('no answer to a request');
  return result;
}

/** What the system says, which fetch keeps behind its `fetch failed`. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  return cause.message || ((cause as NodeJS.ErrnoException).code ?? cause.name);
}
