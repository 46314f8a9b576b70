import type { Timelines } from './writer.ts';

export type { Draft, PostRedPacket, RedPacketPlace, ResultOf, Results } from './draft.ts';
export type { TimelineRules } from './kind.ts';
export type {
  Content,
  ConversationKind,
  CustomContent,
  DraftContent,
  Head,
  Member,
  Message,
  RecalledContent,
  RedPacketContent,
  Role,
  SystemContent,
  SystemEvent,
  TextContent,
} from './model.ts';
export { decodeMessage, encodeMessage } from './message-text.ts';
export type { CommittedRow, OutboxBody, OutboxItem, OutboxPart } from './outbox.ts';
export { decodeBody, encodeBody, eventCount } from './outbox.ts';
export { directKey, groupKey } from './payload.ts';
export {
  columnsOf,
  conversationKindOf,
  headColumns,
  headOf,
  isBetweenTwo,
  memberColumns,
  memberOf,
  messageColumns,
  messageOf,
} from './rows.ts';
export type { HeadRow, MemberRow, MessageRow } from './rows.ts';
export { Timelines } from './writer.ts';
export type { TimelinesDeps } from './writer.ts';

/** What other nouns ask of the writer. */
export type TimelineWriter = Pick<Timelines, 'submit'>;

/** What those ask who would rather not begin what is going to be refused. */
export type TimelineQueue = Pick<Timelines, 'busy'>;
