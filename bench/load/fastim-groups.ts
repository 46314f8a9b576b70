import type { Person } from '../servers/people.ts';
import { LoadHttp } from './http.ts';
import { operation } from './socket.ts';

const createGroup = operation(/* GraphQL */ `
  mutation CreateGroup($input: CreateGroupInput!) {
    createGroup(input: $input) {
      conversation {
        id
        lastSeq
      }
    }
  }
`);
const inboxHead = operation(/* GraphQL */ `
  query InboxHead {
    viewer {
      inbox(first: 0) {
        endCursor
      }
    }
  }
`);

/** A group whose members all have an inbox, as people have who were here in the last week. */
export interface Group {
  readonly id: string;
  /** Its CREATED message. */
  readonly lastSeq: number;
  readonly members: readonly Person[];
}

const atOnce = 16;

/** Through the API: each takes the next `size` people, the first of whom owns it. */
export async function makeGroups(
  server: { readonly url: string },
  people: readonly Person[],
  size: number,
): Promise<Group[]> {
  const http = new LoadHttp(server.url, atOnce);
  try {
    await inParallel(people, (person) => http.request(inboxHead({}), person.accessToken));
    const parties = Array.from({ length: Math.floor(people.length / size) }, (_, index) =>
      people.slice(index * size, (index + 1) * size),
    );
    return await inParallel(parties, async (members, index) => {
      const [owner, ...others] = members;
      const input = {
        clientRequestId: `group_${index}`,
        title: `group ${index}`,
        memberIds: others.map(({ id }) => id),
      };
      const { createGroup: made } = await http.request<{
        createGroup: { conversation: { id: string; lastSeq: number } };
      }>(createGroup({ input }), owner?.accessToken ?? '');
      return { ...made.conversation, members };
    });
  } finally {
    http.close();
  }
}

/** Does it for all, a few at a time; answers in their order. */
export async function inParallel<T, R>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<R>,
  width = atOnce,
): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item, index);
  };
  await Promise.all(Array.from({ length: width }, worker));
  return results;
}
