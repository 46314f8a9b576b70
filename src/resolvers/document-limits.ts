import {
  GraphQLError,
  Kind,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
  type DocumentNode,
  type GraphQLSchema,
} from 'graphql';
import { Fault } from '../lib/fault.ts';
import { limits as defaults } from '../limits.ts';
import { costOf } from './document-cost.ts';
import { shapeOf } from './document-shape.ts';
import { unconditionalSubscriptionRule } from './document-subscription.ts';
import { unfitting } from './errors.ts';

/** What a document may be. */
export type DocumentLimits = Pick<
  typeof defaults,
  | 'documentTokensMax'
  | 'documentDepthMax'
  | 'documentAliasesMax'
  | 'documentDirectivesMax'
  | 'documentCostMax'
  | 'documentOperationsMax'
  | 'documentCharsMax'
> & {
  /** Whether documents may ask for the schema itself, and errors may tell of it. */
  readonly allowsIntrospection: boolean;
};

/** A document that may be executed, with what it may show (`costOf`), or why it may not be. */
export type PreparedDocument =
  | { readonly document: DocumentNode; readonly shows: number; readonly errors?: undefined }
  | { readonly errors: readonly GraphQLError[]; readonly document?: undefined };

const defaultLimits: DocumentLimits = { ...defaults, allowsIntrospection: true };
/** More of them help nobody. */
const validationErrorsMax = 10;

/**
 * Parses, measures and validates a document; the same for the same text, so the answer can be kept.
 * It is measured before it is validated, since some of GraphQL's rules take long over documents that are too large.
 */
export function prepareDocument(
  schema: GraphQLSchema,
  text: string,
  limits: DocumentLimits = defaultLimits,
): PreparedDocument {
  if (text.length > limits.documentCharsMax) {
    return refused(excess('characters', text.length, limits.documentCharsMax));
  }
  let document: DocumentNode;
  try {
    document = parse(text, { maxTokens: limits.documentTokensMax });
  } catch (error) {
    if (error instanceof GraphQLError) {
      return limits.allowsIntrospection ? { errors: [error] } : refused(unreadable, error);
    }
    // The parser descends; a text within the limit of tokens does not get there.
    if (error instanceof RangeError) return refused('Nested too deep.');
    throw error;
  }
  const tooMuch = excessOf(schema, document, limits);
  if (tooMuch) return refused(tooMuch);
  const always = [...specifiedRules, unconditionalSubscriptionRule];
  const rules = limits.allowsIntrospection ? always : [...always, NoSchemaIntrospectionCustomRule];
  const errors = validate(schema, document, rules, {
    maxErrors: validationErrorsMax,
    hideSuggestions: !limits.allowsIntrospection,
  });
  const [first] = errors;
  if (!first) return { document, shows: costOf(schema, document, 'shown') };
  return limits.allowsIntrospection ? { errors } : refused(unfitting, first);
}

/** In GraphQL's own words these would tell of the schema, and of what reads the document. */
const unreadable = 'The document cannot be parsed.';

function refused(message: string, where?: GraphQLError): PreparedDocument {
  const { source = null, positions = null } = where ?? {};
  const originalError = new Fault('INVALID_ARGUMENT', message);
  return { errors: [new GraphQLError(message, { source, positions, originalError })] };
}

/** What is too much of a document; null where nothing is. Its fragments count as often as they are spread. */
export function excessOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  limits: DocumentLimits,
): string | null {
  const operations = document.definitions.filter(isOperation).length;
  if (operations > limits.documentOperationsMax) {
    return excess('operations', operations, limits.documentOperationsMax);
  }
  const { depth, aliases, directives } = shapeOf(document);
  if (depth > limits.documentDepthMax) return excess('levels', depth, limits.documentDepthMax);
  if (aliases > limits.documentAliasesMax) {
    return excess('aliases and repeated fields', aliases, limits.documentAliasesMax);
  }
  if (directives > limits.documentDirectivesMax) {
    return excess('directives', directives, limits.documentDirectivesMax);
  }
  const cost = costOf(schema, document);
  return cost > limits.documentCostMax ? excess('cost', cost, limits.documentCostMax) : null;
}

function isOperation({ kind }: DocumentNode['definitions'][number]): boolean {
  return kind === Kind.OPERATION_DEFINITION;
}

function excess(what: string, measured: number, max: number): string {
  const found = Number.isSafeInteger(measured) ? measured : 'far too many';
  return what === 'cost'
    ? `The document costs ${found}; at most ${max} is allowed. Ask for smaller pages.`
    : `The document has ${found} ${what}; at most ${max} are allowed.`;
}
