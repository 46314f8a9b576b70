import { ApolloClient, ApolloLink, InMemoryCache } from '@apollo/client/core';
import { of } from 'rxjs';
import { expect, test } from 'vitest';
import { InboxDocument, InboxPageDocument } from '../../client/generated/documents.ts';
import { possibleTypes } from '../../client/generated/possible-types.ts';

const event = { __typename: 'PollOpened', cursor: 'cursor-9', at: '2026-11-23T08:00:00.000Z' };

/** Apollo's client as it is by default, which is answered so. */
function answeredWith(data: Record<string, unknown>): ApolloClient {
  const link = new ApolloLink(() => of({ data }));
  return new ApolloClient({ cache: new InMemoryCache({ possibleTypes }), link });
}

test('an event of a kind that a client does not know yet keeps its cursor in a cache', async () => {
  const heard: unknown[] = [];
  answeredWith({ inbox: event })
    .subscribe({ query: InboxDocument, variables: {} })
    .subscribe(({ data }) => heard.push(data?.inbox));
  expect(heard).toEqual([event]);

  const page = { __typename: 'InboxPage', events: [event], endCursor: 'cursor-9', hasMore: false };
  const pull = await answeredWith({ viewer: { __typename: 'Viewer', inbox: page } }).query({
    query: InboxPageDocument,
    variables: {},
  });
  expect(pull.data?.viewer.inbox.events).toEqual([event]);
});
