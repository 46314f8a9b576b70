import {
  GraphQLError,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
  type DocumentNode,
  type GraphQLSchema,
} from 'graphql';
import { limits as defaults } from '../limits.ts';
import { costOf } from './document-cost.ts';
import { shapeOf } from './document-shape.ts';

/** What a document may be. */
export type DocumentLimits = Pick<
  typeof defaults,
  | 'documentTokensMax'
  | 'documentDepthMax'
  | 'documentAliasesMax'
  | 'documentDirectivesMax'
  | 'documentCostMax'
> & {
  /** Whether documents may ask for the schema itself, and errors may suggest names. */
  readonly allowsIntrospection: boolean;
};

/** A document that may be executed, or why it may not be. */
export type PreparedDocument =
  | { readonly document: DocumentNode; readonly errors?: undefined }
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
  let document: DocumentNode;
  try {
    document = parse(text, { maxTokens: limits.documentTokensMax });
  } catch (error) {
    if (error instanceof GraphQLError) return { errors: [error] };
    // The parser descends; a text within the limit of tokens does not get there.
    if (error instanceof RangeError) return { errors: [new GraphQLError('Nested too deep.')] };
    throw error;
  }
  const excess = excessOf(schema, document, limits);
  if (excess) return { errors: [new GraphQLError(excess)] };
  const rules = limits.allowsIntrospection
    ? specifiedRules
    : [...specifiedRules, NoSchemaIntrospectionCustomRule];
  const errors = validate(schema, document, rules, {
    maxErrors: validationErrorsMax,
    hideSuggestions: !limits.allowsIntrospection,
  });
  return errors.length > 0 ? { errors } : { document };
}

/** What is too much of a document; null where nothing is. Its fragments count as often as they are spread. */
export function excessOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  limits: DocumentLimits,
): string | null {
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

function excess(what: string, measured: number, max: number): string {
  const found = Number.isSafeInteger(measured) ? measured : 'far too many';
  return what === 'cost'
    ? `The document costs ${found}; at most ${max} is allowed. Ask for smaller pages.`
    : `The document has ${found} ${what}; at most ${max} are allowed.`;
}
