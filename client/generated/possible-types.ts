// Written by codegen.ts from the schema: do not edit.
/** For caches that normalise by type, as that of Apollo Client. */
export const possibleTypes = {
  Node: ['User', 'Conversation', 'Message', 'RedPacket', 'Session', 'WalletEntry'],
  MessageContent: [
    'TextContent',
    'CustomContent',
    'RedPacketContent',
    'SystemContent',
    'RecalledContent',
  ],
  InboxEvent: [
    'MessageAdded',
    'MessageChanged',
    'ReadAdvanced',
    'ConversationChanged',
    'ConversationRemoved',
    'ConversationAdvanced',
    'WalletChanged',
    'InboxHeartbeat',
    'InboxReset',
  ],
  ConversationEvent: [
    'ConversationMessageAdded',
    'ConversationMessageChanged',
    'ConversationCaughtUp',
  ],
};
