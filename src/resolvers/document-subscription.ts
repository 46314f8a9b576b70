import {
  GraphQLError,
  Kind,
  OperationTypeNode,
  type SelectionNode,
  type ValidationRule,
} from 'graphql';

const conditions: ReadonlySet<string> = new Set(['skip', 'include']);

/**
 * A subscription has exactly one root field, so nothing may leave it out: GraphQL's specification forbids the
 * conditions there, and graphql-js 16 does not see it and fails over an operation without any field.
 */
export const unconditionalSubscriptionRule: ValidationRule = (context) => ({
  OperationDefinition(operation) {
    if (operation.operation !== OperationTypeNode.SUBSCRIPTION) return;
    const seen = new Set<string>();
    const check = (selections: readonly SelectionNode[]): void => {
      for (const selection of selections) {
        const condition = selection.directives?.find(({ name }) => conditions.has(name.value));
        if (condition) {
          const message = `A subscription's field cannot be under @${condition.name.value}.`;
          context.reportError(new GraphQLError(message, { nodes: condition }));
        }
        if (selection.kind === Kind.INLINE_FRAGMENT) check(selection.selectionSet.selections);
        if (selection.kind !== Kind.FRAGMENT_SPREAD || seen.has(selection.name.value)) continue;
        seen.add(selection.name.value);
        check(context.getFragment(selection.name.value)?.selectionSet.selections ?? []);
      }
    };
    check(operation.selectionSet.selections);
  },
});
