import type { RunningFastim } from '../servers/fastim.ts';
import type { RunningRival } from '../servers/rival.ts';
import type { ServerChild } from '../servers/server-child.ts';
import { demand } from '../runner/void.ts';
import { Deliveries, type Told } from './deliveries.ts';
import { makeGroups } from './fastim-groups.ts';
import { Sender, type SendApi } from './sender.ts';
import { openSockets, operation, type LoadSocket } from './socket.ts';

/** Characters of a message. */
export const messageChars = 200;

/** A contender with its senders connected, and every delivery watched. */
export interface SendContender extends AsyncDisposable {
  readonly server: ServerChild;
  readonly senders: readonly Sender[];
  readonly deliveries: Deliveries;
  /** @throws what has closed a connection. */
  check(): void;
}

const messageParts = /* GraphQL */ `
  id
  conversation {
    id
  }
  seq
  sender {
    id
    username
    displayName
  }
  clientMessageId
  content {
    ... on TextContent {
      text
    }
  }
  createdAt
`;
const fastimSend = operation(
  `mutation Send($input: SendMessageInput!) { sendMessage(input: $input) { isDuplicate message { ${messageParts} } } }`,
);
const fastimInbox = operation(
  `subscription Inbox { inbox { __typename cursor ... on MessageAdded { message { ${messageParts} } } } }`,
);
const rivalParts =
  'id conversationId seq sender { id username displayName } clientMessageId text createdAt';
const rivalSend = operation(
  `mutation Send($conversationId: ID!, $clientMessageId: String!, $text: String!) {
    sendMessage(conversationId: $conversationId, clientMessageId: $clientMessageId, text: $text) { ${rivalParts} }
  }`,
);
const rivalFollow = operation(
  `subscription Follow($conversationId: ID!) { messageAdded(conversationId: $conversationId) { ${rivalParts} } }`,
);

interface FastimMessage {
  readonly id: string;
  readonly conversation: { readonly id: string };
  readonly seq: number;
  readonly clientMessageId: string;
  readonly content: { readonly text?: string };
}
interface FastimAnswer {
  readonly sendMessage: { readonly isDuplicate: boolean; readonly message: FastimMessage };
}
interface FastimEvent {
  readonly inbox: { readonly __typename: string; readonly message?: FastimMessage };
}
interface RivalMessage {
  readonly id: string;
  readonly conversationId: string;
  readonly seq: number;
  readonly clientMessageId: string;
  readonly text: string;
}

const fastimApi: SendApi<FastimAnswer> = {
  payload: (conversationId, clientMessageId, text) =>
    fastimSend({ input: { conversationId, clientMessageId, content: { text: { text } } } }),
  acknowledged({ sendMessage: { isDuplicate, message } }) {
    demand(!isDuplicate, 'a message was taken for a duplicate');
    return { ...fastimTold(message), clientMessageId: message.clientMessageId };
  },
};
const rivalApi: SendApi<{ readonly sendMessage: RivalMessage }> = {
  payload: (conversationId, clientMessageId, text) =>
    rivalSend({ conversationId, clientMessageId, text }),
  acknowledged: ({ sendMessage }) => sendMessage,
};

const fastimTold = ({ id, conversation, seq, content }: FastimMessage): Told => ({
  id,
  conversationId: conversation.id,
  seq,
  text: content.text ?? '',
});

/** @param groupSize members of each group: a sender, one who is connected, and others who are not. */
export async function connectFastim(
  running: RunningFastim,
  groupSize: number,
): Promise<SendContender> {
  const { server, people } = running;
  const groups = await makeGroups(server, people, groupSize);
  const deliveries = new Deliveries();
  const socketsOf = (place: number): Promise<LoadSocket[]> =>
    openSockets(
      server.socketUrl,
      groups.map(({ members }) => ({ accessToken: members[place]?.accessToken })),
    );
  const watchers = await socketsOf(1);
  await Promise.all(
    watchers.map((socket, index) => {
      const group = groups[index];
      if (group) deliveries.expect(group.id, group.lastSeq);
      return new Promise<void>((resolve) => {
        socket.subscribe(fastimInbox({}), ({ inbox: { message, __typename } }: FastimEvent) => {
          if (message) deliveries.delivered(fastimTold(message));
          // It is live from here on.
          else if (__typename === 'InboxHeartbeat') resolve();
        });
      });
    }),
  );
  const sockets = await socketsOf(0);
  const senders = sockets.map(
    (socket, index) =>
      new Sender(fastimApi, groups[index]?.id ?? '', { socket, deliveries, chars: messageChars }),
  );
  return contenderOf(server, senders, deliveries, [...watchers, ...sockets]);
}

export async function connectRival(
  running: RunningRival,
  groups: { readonly count: number; readonly size: number },
): Promise<SendContender> {
  const { server, accessTokens } = running;
  const deliveries = new Deliveries();
  const ids = Array.from({ length: groups.count }, (_, index) => String(index + 1));
  const socketsOf = (place: number): Promise<LoadSocket[]> =>
    openSockets(
      server.socketUrl,
      ids.map((_id, index) => ({ accessToken: accessTokens[index * groups.size + place] })),
    );
  const watchers = await socketsOf(1);
  for (const [index, socket] of watchers.entries()) {
    const conversationId = ids[index] ?? '';
    deliveries.expect(conversationId, 0);
    socket.subscribe(rivalFollow({ conversationId }), (event: { messageAdded: RivalMessage }) =>
      deliveries.delivered(event.messageAdded),
    );
  }
  // What was asked before is begun when an answer that was asked later is there.
  await Promise.all(watchers.map((socket) => socket.request(operation('{ __typename }')({}))));
  const sockets = await socketsOf(0);
  const senders = sockets.map(
    (socket, index) =>
      new Sender(rivalApi, ids[index] ?? '', { socket, deliveries, chars: messageChars }),
  );
  return contenderOf(server, senders, deliveries, [...watchers, ...sockets]);
}

function contenderOf(
  server: ServerChild,
  senders: readonly Sender[],
  deliveries: Deliveries,
  sockets: readonly LoadSocket[],
): SendContender {
  return {
    server,
    senders,
    deliveries,
    check() {
      for (const socket of sockets) socket.check();
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(sockets.map((socket) => socket.close()));
    },
  };
}
