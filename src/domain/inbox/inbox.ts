export type {
  ConversationEvent,
  Happening,
  InboxEvent,
  InboxPage,
  PresenceEvent,
  Signal,
  TypingEvent,
} from './event.ts';
export { decodeCursor, encodeCursor } from './cursor.ts';
export type { Cursor } from './cursor.ts';
