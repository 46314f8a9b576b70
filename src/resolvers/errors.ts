import { GraphQLError, Kind, type GraphQLFormattedError } from 'graphql';
import { Fault, faultCodes, faultOf, withoutStack } from '../lib/fault.ts';

/** Told of each bug that a client met, with the path of the field that met it. */
export type ReportBug = (bug: unknown, path: string) => void;

/**
 * An error as a client may see it, with a code of the closed table. A Fault says what it is, and so does what can be
 * told as one (a database that is gone); what GraphQL refuses (parsing, validation, coercion) is INVALID_ARGUMENT;
 * anything else is a bug: reported, and masked as INTERNAL.
 * What it has made it leaves as it is.
 * @param hidesSchema whether what GraphQL refuses is told without GraphQL's words: these repeat names of the schema.
 */
export function toGraphQLError(
  error: unknown,
  report: ReportBug,
  hidesSchema = false,
): GraphQLError {
  if (!(error instanceof GraphQLError)) {
    const fault = faultOf(error);
    if (fault) return withExtensions(fault.message, {}, fault);
    report(error, '');
    return withExtensions(masked.message, {}, masked);
  }
  if (isPresentable(error)) return error;
  const cause = rootOf(error);
  const fault = faultOf(cause);
  if (fault) return withExtensions(fault.message, error, fault);
  if (isRefusal(error, cause)) {
    const message = hidesSchema ? unfitting : clipped(error.message);
    return withExtensions(message, error, new Fault('INVALID_ARGUMENT', message));
  }
  report(cause, error.path?.join('.') ?? '');
  return withExtensions(masked.message, error, masked);
}

/** The errors of a result as they go to the client. */
export function presentErrors(
  errors: readonly GraphQLError[],
  report: ReportBug,
  hidesSchema = false,
): GraphQLFormattedError[] {
  return errors.map((error) => toGraphQLError(error, report, hidesSchema).toJSON());
}

/** Why a request is refused, where its words are not to tell of the schema. */
export const unfitting =
  'The request does not fit the schema; details and introspection are off here.';

const masked = new Fault('INTERNAL', 'Something went wrong on our side.');

/** GraphQL repeats what it was given, whole: what is large comes back as a beginning of it. */
const messageCharsMax = 400;

function clipped(message: string): string {
  return message.length > messageCharsMax ? `${message.slice(0, messageCharsMax - 1)}…` : message;
}

/** `http`, which servers hang on errors for their own use, stays. */
function withExtensions(
  message: string,
  place: Partial<Pick<GraphQLError, 'nodes' | 'source' | 'positions' | 'path' | 'extensions'>>,
  fault: Fault,
): GraphQLError {
  const { nodes, source, positions, path, extensions } = place;
  const http = extensions?.['http'];
  // Whoever is to see a stack, the log, has been told already.
  return withoutStack(
    () =>
      new GraphQLError(message, {
        nodes: nodes ?? null,
        source: source ?? null,
        positions: positions ?? null,
        path: path ?? null,
        extensions: { ...fault.extensions, ...(http === undefined ? {} : { http }) },
      }),
  );
}

function isPresentable({ originalError, extensions }: GraphQLError): boolean {
  const { code, retryable } = extensions;
  return (
    originalError === undefined &&
    typeof code === 'string' &&
    code in faultCodes &&
    retryable !== undefined
  );
}

function rootOf(error: GraphQLError): Error {
  let root: Error = error;
  while (root instanceof GraphQLError && root.originalError) root = root.originalError;
  return root;
}

/**
 * Whether GraphQL itself refuses the request. Before execution all its errors are refusals; during execution those
 * that point at an argument's value, while an error about a field's value is ours. What it only wraps is ours as well.
 */
function isRefusal(error: GraphQLError, root: Error): boolean {
  if (!(root instanceof GraphQLError)) return false;
  if (error.path === undefined) return true;
  return root.nodes?.every(({ kind }) => kind !== Kind.FIELD) ?? false;
}
