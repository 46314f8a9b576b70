import SchemaBuilder from '@pothos/core';
import type { Context } from './context.ts';
import type { Fault } from '../lib/fault.ts';

/** What a field may say about itself to those who execute it; see `extensions` of the fields. */
export interface FieldNotes {
  /**
   * In what the field differs from viewer to viewer: `true`, in anything; `cursor`, in a scalar of
   * the event; `replyTo`, in whether its target is visible. Without it, all who see the parent see the same.
   */
  readonly perViewer?: true | 'cursor' | 'replyTo';
  /**
   * What a field of a mutation would be refused with now, whatever it says, asked before it is executed; null: it is.
   * @param args as they came: not checked at all.
   */
  readonly busy?: (args: Readonly<Record<string, unknown>>, context: Context) => Fault | null;
  /** What the field costs by itself, beside what stands in it; without it 1. */
  readonly cost?: number;
}

/** Any JSON value but null, which stands for an absent one. */
export type JsonValue = string | number | boolean | object;

/** The one builder: each file of this folder adds its types to it, `schema.ts` builds. */
export const builder = new SchemaBuilder<{
  Context: Context;
  DefaultFieldNullability: false;
  DefaultInputFieldRequiredness: true;
  Scalars: {
    ID: { Input: string; Output: string };
    /** ms since 1970 */
    DateTime: { Input: number; Output: number };
    InboxCursor: { Input: string; Output: string };
    JSON: { Input: unknown; Output: JsonValue };
    MinorUnits: { Input: bigint; Output: bigint };
  };
}>({ defaultFieldNullability: false, defaultInputFieldRequiredness: true });

builder.queryType({
  description:
    'What can be asked. Fields answer null for what does not exist and for what the viewer may not see: the two look the same.',
});
builder.mutationType({
  description:
    'What can be done. The fields of one operation run one after the other; each answers after its effect is durably committed.',
});
builder.subscriptionType({
  description:
    'What is pushed. A subscription that cannot be served is refused with an error, never silently empty.',
});

/** Notes for a field, checked. */
export function notes(given: FieldNotes): FieldNotes & Record<string, unknown> {
  return { ...given };
}
