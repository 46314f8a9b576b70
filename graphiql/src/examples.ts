/** A tab that the page opens with: all three panes are filled in. */
export interface ExampleTab {
  query: string;
  variables: string;
  headers: string;
}

const json = (value: unknown): string => JSON.stringify(value, null, 2);

/** An empty header is as good as none: the page's own sign-in stands in for it. */
const signedIn = json({ Authorization: '' });

const register = `# Welcome to FastIM. Run register, or login later on,
# and this window is signed in: every tab acts as you,
# unless its own headers name somebody else. One
# window is one person; for a second one open another
# window, and change the name below.
mutation register($input: RegisterInput!) {
  register(input: $input) {
    ...SignedIn
  }
}

mutation login($input: LoginInput!) {
  login(input: $input) {
    ...SignedIn
  }
}

fragment SignedIn on AuthPayload {
  accessToken
  accessTokenExpiresAt
  refreshToken
  viewer {
    user {
      id
      username
    }
  }
}
`;

const openDirect = `# Run findUser, put the id into the variables, run
# openDirect or createGroup. Either may be repeated,
# and gives the same one.
mutation openDirect($userId: ID!) {
  openDirect(userId: $userId) {
    conversation {
      ...Conversation
    }
  }
}

mutation createGroup($input: CreateGroupInput!) {
  createGroup(input: $input) {
    conversation {
      ...Conversation
    }
  }
}

query findUser($username: String!) {
  user(username: $username) {
    id
    username
    displayName
  }
}

fragment Conversation on Conversation {
  id
  kind
  title
  lastSeq
  members(first: 10) {
    edges {
      node {
        role
        user {
          id
          username
        }
      }
    }
  }
}
`;

const sendMessage = `# The answer comes when the message is durably stored.
# A retry under the same clientMessageId adds nothing:
# make a new one.
mutation sendMessage($input: SendMessageInput!) {
  sendMessage(input: $input) {
    isDuplicate
    message {
      id
      seq
      createdAt
      content {
        ... on TextContent {
          text
        }
      }
    }
  }
}
`;

const content = `content {
    __typename
    ... on TextContent {
      text
    }
    ... on CustomContent {
      type
      data
    }
    ... on SystemContent {
      event
      actor {
        username
      }
      users {
        username
      }
    }
  }`;

const history = `# The newest page, oldest first. A cursor is the
# decimal seq: for the page before this add before:
# "<the first seq here>".
query history($conversationId: ID!) {
  conversation(id: $conversationId) {
    title
    lastSeq
    me {
      readSeq
      unreadCount
    }
    messages(last: 50) {
      edges {
        node {
          ...Message
        }
      }
      pageInfo {
        hasPreviousPage
        startCursor
      }
    }
  }
}

fragment Message on Message {
  seq
  createdAt
  sender {
    username
  }
  ${content}
}
`;

const inbox = `# All that happens to you, newest on top, also while
# you are in other tabs. Given a cursor it begins with
# what came after it.
subscription inbox($after: InboxCursor) {
  inbox(after: $after) {
    __typename
    cursor
    at
    ... on MessageAdded {
      message {
        ...Message
      }
    }
    ... on MessageChanged {
      changeSeq
      message {
        ...Message
      }
    }
    ... on ReadAdvanced {
      readSeq
      user {
        username
      }
      conversation {
        id
      }
    }
    ... on ConversationChanged {
      conversation {
        id
        kind
        title
        memberCount
      }
    }
    ... on ConversationRemoved {
      conversationId
    }
    ... on ConversationAdvanced {
      lastSeq
      changeSeq
      conversation {
        id
      }
    }
    ... on WalletChanged {
      balance
      entry {
        kind
        amount
      }
    }
    ... on InboxHeartbeat {
      cursor
    }
    ... on InboxReset {
      cursor
    }
  }
}

fragment Message on Message {
  seq
  conversation {
    id
  }
  sender {
    username
  }
  ${content}
}
`;

const redPacket = `# Money comes from outside, by the operator:
# npm run wallet:credit (see README.md, your id below)
# Then put some into a conversation and claim shares.
query wallet {
  viewer {
    user {
      id
    }
    wallet {
      balance
      entries(first: 20) {
        edges {
          node {
            kind
            amount
            createdAt
          }
        }
      }
    }
  }
}

mutation sendRedPacket($packet: SendRedPacketInput!) {
  sendRedPacket(input: $packet) {
    isDuplicate
    redPacket {
      ...Packet
    }
  }
}

mutation claimRedPacket($redPacketId: ID!) {
  claimRedPacket(redPacketId: $redPacketId) {
    status
    creditPending
    claim {
      amount
    }
    redPacket {
      ...Packet
    }
  }
}

fragment Packet on RedPacket {
  id
  state
  greeting
  total
  count
  expiresAt
  claims {
    user {
      username
    }
    amount
    isBest
  }
}
`;

/** From registration to a live inbox, in the order in which a newcomer runs them; then money. */
export const exampleTabs: readonly ExampleTab[] = [
  {
    query: register,
    variables: json({
      input: {
        appId: 'default',
        username: 'ann',
        password: 'correct horse',
        device: { id: 'graphiql', platform: 'WEB' },
      },
    }),
    headers: json({}),
  },
  {
    query: openDirect,
    variables: json({
      username: 'bob',
      userId: 'the id that findUser gave',
      input: { clientRequestId: 'graphiql-group-1', title: 'Our group', memberIds: [] },
    }),
    headers: signedIn,
  },
  {
    query: sendMessage,
    variables: json({
      input: {
        conversationId: 'the id of a conversation',
        clientMessageId: 'graphiql-1',
        content: { text: { text: 'Hello!' } },
      },
    }),
    headers: signedIn,
  },
  {
    query: history,
    variables: json({ conversationId: 'the id of a conversation' }),
    headers: signedIn,
  },
  { query: inbox, variables: json({ after: null }), headers: signedIn },
  {
    query: redPacket,
    variables: json({
      packet: {
        conversationId: 'the id of a conversation',
        clientMessageId: 'graphiql-packet-1',
        total: 500,
        count: 5,
        greeting: 'For all of you',
      },
      redPacketId: 'the id that sendRedPacket gave',
    }),
    headers: signedIn,
  },
];
