import { present } from '../../lib/assert.ts';
import { Fault } from '../../lib/fault.ts';
import type { Settled } from '../../storage/group-commit.ts';
import type { SqlReader } from '../../storage/sql.ts';
import { loadOriginals } from './batch-load.ts';
import type { Draft, Results, Send } from './draft.ts';
import { asDuplicate } from './kinds/messages.ts';
import type { Message } from './model.ts';

/** What became of a draft. */
export type Outcome = Settled<Results[Draft['kind']]>;

/**
 * Answers those sends whose key is in the store already with what they were answered the first time; the other places of
 * `outcomes` stay as they are.
 */
export async function settleDuplicates(
  reader: SqlReader,
  sends: readonly { readonly draft: Send; readonly index: number }[],
  outcomes: (Outcome | undefined)[],
): Promise<void> {
  if (sends.length === 0) return;
  const originals = await loadOriginals(
    reader,
    sends.map(({ draft }) => draft),
  );
  const byKey = new Map(originals.map((stored) => [originalKey(stored.message), stored]));
  for (const { draft, index } of sends) {
    const original = byKey.get(sendKey(draft));
    if (original) outcomes[index] = settleDuplicate(draft, original);
  }
}

function settleDuplicate(draft: Send, original: Parameters<typeof asDuplicate>[1]): Outcome {
  try {
    return { kind: 'done', result: asDuplicate(draft, original) };
  } catch (error) {
    if (error instanceof Fault) return { kind: 'refused', fault: error };
    throw error;
  }
}

function sendKey(send: Send): string {
  return `${send.conversationId} ${send.actorId} ${send.clientMessageId}`;
}

function originalKey(message: Message): string {
  const key = present(message.clientMessageId, 'an original without its key');
  return `${message.conversationId} ${message.senderId} ${key}`;
}
