import { parse, separateOperations } from 'graphql';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';

/** A message as the API shows it; of people only who they are. */
export interface ShownMessage {
  readonly seq: number;
  readonly sender: { readonly id: string } | null;
  readonly clientMessageId: string | null;
  readonly content: {
    readonly __typename: string;
    readonly actor?: { readonly id: string } | null;
    readonly [field: string]: unknown;
  };
  readonly createdAt: string;
  readonly editedAt: string | null;
  readonly recalledAt: string | null;
  readonly changeSeq: number;
  readonly replyToSeq: number | null;
  readonly replyTo: { readonly seq: number } | null;
  /** Only where a history is read. */
  readonly readCount?: number;
  /** Only in events. */
  readonly conversation?: { readonly id: string };
}

export interface ShownMember {
  readonly user: { readonly id: string };
  readonly role: string;
  readonly joinedSeq: number;
  readonly readSeq: number;
  readonly unreadCount?: number | null;
}

export interface ShownConversation {
  readonly id: string;
  readonly kind: string;
  readonly title: string | null;
  readonly createdAt: string;
  readonly lastSeq: number;
  readonly changeSeq: number;
  readonly memberCount: number;
  readonly members: Page<ShownMember>;
  /** Of the viewer: not in events that are the same for all. */
  readonly me?: ShownMember;
}

export interface Page<Node> {
  readonly edges: readonly { readonly node: Node }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

/** A conversation with as much of its history as stood on one page. */
export interface ShownTimeline extends ShownConversation {
  readonly me: ShownMember;
  readonly lastMessage: { readonly seq: number; readonly changeSeq: number } | null;
  readonly messages: Page<ShownMessage>;
}

export type ShownEvent = { readonly cursor: string; readonly at: string } & (
  | {
      readonly __typename: 'MessageAdded';
      readonly message: ShownMessage & { conversation: { id: string } };
    }
  | {
      readonly __typename: 'MessageChanged';
      readonly changeSeq: number;
      readonly message: ShownMessage & { conversation: { id: string } };
    }
  | {
      readonly __typename: 'ReadAdvanced';
      readonly conversation: { readonly id: string };
      readonly user: { readonly id: string };
      readonly readSeq: number;
    }
  | { readonly __typename: 'ConversationChanged'; readonly conversation: ShownConversation }
  | { readonly __typename: 'ConversationRemoved'; readonly conversationId: string }
  | {
      readonly __typename: 'ConversationAdvanced';
      readonly conversation: { readonly id: string };
      readonly lastSeq: number;
      readonly changeSeq: number;
    }
  | {
      readonly __typename: 'WalletChanged';
      readonly entry: { readonly amount: number };
      readonly balance: number;
    }
  | { readonly __typename: 'InboxHeartbeat' | 'InboxReset' }
);

/** Of which conversation an event shows anything; '' where it shows nothing of one. */
export function aboutOf(event: ShownEvent): string {
  if ('message' in event) return event.message.conversation.id;
  return 'conversation' in event ? event.conversation.id : '';
}

const fragments = `
  fragment M on Message {
    seq sender { id } clientMessageId createdAt editedAt recalledAt changeSeq replyToSeq
    replyTo { seq }
    content {
      __typename
      ... on TextContent { text }
      ... on CustomContent { type data }
      ... on RedPacketContent { redPacket { id state claimedCount claimedTotal refundedTotal } }
      ... on SystemContent { event actor { id } users { id } title role }
      ... on RecalledContent { recalledBy { id } }
    }
  }
  fragment P on Member { user { id } role joinedSeq readSeq }
  fragment I on PageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  fragment C on Conversation {
    id kind title createdAt lastSeq changeSeq memberCount
    members(first: 20) { edges { node { ...P } } pageInfo { ...I } }
  }`;

const ownMember = 'fragment Own on Conversation { me { ...P unreadCount } }';

const timeline = `
  fragment T on Conversation {
    ...C ...Own
    lastMessage { seq changeSeq }
    messages(last: 50) { edges { node { ...M readCount } } pageInfo { ...I } }
  }`;

const eventFields = (ofConversation: string): string => `
  fragment E on InboxEvent {
    __typename cursor at
    ... on MessageAdded { message { ...M conversation { id } } }
    ... on MessageChanged { changeSeq message { ...M conversation { id } } }
    ... on ReadAdvanced { conversation { id } user { id } readSeq }
    ... on ConversationChanged { conversation { ...C ${ofConversation} } }
    ... on ConversationRemoved { conversationId }
    ... on WalletChanged { entry { amount } balance }
    ... on ConversationAdvanced { conversation { id } lastSeq changeSeq }
  }`;

/** With those of the fragments that it uses. */
function document<Data, Variables>(...texts: string[]): TypedDocumentNode<Data, Variables> {
  const all = parse([...texts, fragments].join('\n'), { noLocation: true });
  const [document] = Object.values(separateOperations(all));
  if (!document) throw new Error('a text without an operation');
  return document;
}

/** `own`: events show the viewer's own membership too, so that they differ from viewer to viewer. */
export const inboxDocuments = {
  shared: document<{ inbox: ShownEvent }, { after: string | null }>(
    'subscription Inbox($after: InboxCursor) { inbox(after: $after) { ...E } }',
    eventFields(''),
  ),
  own: document<{ inbox: ShownEvent }, { after: string | null }>(
    'subscription Inbox($after: InboxCursor) { inbox(after: $after) { ...E } }',
    eventFields('...Own'),
    ownMember,
  ),
};

interface Pull {
  readonly events: readonly ShownEvent[];
  readonly endCursor: string;
  readonly hasMore: boolean;
}

/** The size stands in the text: as a variable it would cost as much as the largest page. */
export function pullDocument(
  first: number,
): TypedDocumentNode<{ viewer: { inbox: Pull } }, { after: string }> {
  return document(
    `query Pull($after: InboxCursor) {
      viewer { inbox(after: $after, first: ${first}) { events { ...E } endCursor hasMore } }
    }`,
    eventFields(''),
  );
}

/** The cursor is older than all the rest. */
export const listDocument = document<
  {
    viewer: {
      unreadCount: number;
      wallet: { balance: number };
      inbox: { endCursor: string };
      conversations: Page<ShownTimeline>;
    };
  },
  { after: string | null }
>(
  `query List($after: String) {
    viewer {
      unreadCount
      wallet { balance }
      inbox { endCursor }
      conversations(first: 12, after: $after) {
        edges { node { ...T } } pageInfo { ...I }
      }
    }
  }`,
  timeline,
  ownMember,
);

export const conversationDocument = document<
  { conversation: (ShownConversation & { me: ShownMember }) | null },
  { id: string }
>('query One($id: ID!) { conversation(id: $id) { ...C ...Own } }', ownMember);

export const membersDocument = document<
  { conversation: { members: Page<ShownMember> } | null },
  { id: string; after: string | null }
>(`query Members($id: ID!, $after: String) {
    conversation(id: $id) {
      members(first: 50, after: $after) { edges { node { ...P } } pageInfo { ...I } }
    }
  }`);

export const messagesDocument = document<
  { conversation: { messages: Page<ShownMessage> } | null },
  { id: string; first?: number; after?: string; last?: number; before?: string }
>(`query Messages($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
    conversation(id: $id) {
      messages(first: $first, after: $after, last: $last, before: $before) {
        edges { node { ...M readCount } } pageInfo { ...I }
      }
    }
  }`);

export const changesDocument = document<
  {
    conversation: {
      messageChanges: {
        readonly messages: readonly ShownMessage[];
        readonly endChangeSeq: number;
        readonly hasMore: boolean;
      };
    } | null;
  },
  { id: string; after: number }
>(`query Changes($id: ID!, $after: Int!) {
    conversation(id: $id) {
      messageChanges(after: $after, first: 20) { messages { ...M } endChangeSeq hasMore }
    }
  }`);
