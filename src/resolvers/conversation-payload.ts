import type { Membership } from '../domain/conversation/conversation.ts';
import { builder } from './builder.ts';
import { ConversationType, type ConversationNode } from './conversation.ts';

/** The type of a payload that shows a conversation. */
export function conversationPayload(name: string, answers: string) {
  return builder.objectRef<{ conversation: ConversationNode }>(name).implement({
    description: `Answers \`${answers}\`.`,
    fields: (t) => ({
      conversation: t.expose('conversation', {
        type: ConversationType,
        description: 'The conversation, as it is now.',
      }),
    }),
  });
}

/** What a mutation answers that has done something to a conversation. */
export function payloadOf(membership: Membership): { conversation: ConversationNode } {
  return { conversation: { id: membership.head.id, membership } };
}
