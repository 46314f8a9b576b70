export type {
  ConversationEvent,
  Happening,
  InboxEvent,
  InboxPage,
  PresenceEvent,
  Signal,
  TypingEvent,
} from './event.ts';
