import { Fault } from '../lib/fault.ts';
import { builder } from './builder.ts';

/** What a connection shows: nodes, each with its cursor, and whether there are more. */
export interface Page<T> {
  readonly edges: readonly Edge<T>[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}

/** A node at its place in a list. */
export interface Edge<T> {
  readonly cursor: string;
  readonly node: T;
}

/** Puts the items of a page to their cursors. */
export function pageOf<S, T>(
  items: readonly S[],
  more: { readonly hasNextPage: boolean; readonly hasPreviousPage: boolean },
  edge: (item: S) => Edge<T>,
): Page<T> {
  return {
    edges: items.map(edge),
    hasNextPage: more.hasNextPage,
    hasPreviousPage: more.hasPreviousPage,
  };
}

/**
 * Checks what `first` asks for.
 * @throws {Fault} INVALID_ARGUMENT where it is negative or above `max`.
 */
export function checkFirst(first: number, max: number): number {
  if (first >= 0 && first <= max) return first;
  throw new Fault('INVALID_ARGUMENT', `first must be from 0 to ${max}.`);
}

/** Where a page stands in its list. */
export const PageInfoType = builder.objectRef<Page<unknown>>('PageInfo').implement({
  description: 'Where a page stands in its list. It is exact.',
  fields: (t) => ({
    hasNextPage: t.exposeBoolean('hasNextPage', {
      description: 'Whether the list goes on after the last edge.',
    }),
    hasPreviousPage: t.exposeBoolean('hasPreviousPage', {
      description: 'Whether the list has something before the first edge.',
    }),
    startCursor: t.string({
      nullable: true,
      description: 'The cursor of the first edge; null where the page is empty.',
      resolve: ({ edges }) => edges[0]?.cursor ?? null,
    }),
    endCursor: t.string({
      nullable: true,
      description: 'The cursor of the last edge; null where the page is empty.',
      resolve: ({ edges }) => edges.at(-1)?.cursor ?? null,
    }),
  }),
});
