// Written by codegen.ts from the schema: do not edit.
/** For caches that normalise by type, as that of Apollo Client. */
export const possibleTypes = {
  Node: ['User', 'Conversation', 'Message', 'Session'],
  MessageContent: ['TextContent', 'CustomContent', 'SystemContent', 'RecalledContent'],
  InboxEvent: [
    'MessageAdded',
    'MessageChanged',
    'ReadAdvanced',
    'ConversationChanged',
    'ConversationRemoved',
    'ConversationAdvanced',
    'InboxHeartbeat',
    'InboxReset',
  ],
  ConversationEvent: [
    'ConversationMessageAdded',
    'ConversationMessageChanged',
    'ConversationCaughtUp',
  ],
};
