import { CreateGroupDocument } from '../../client/generated/documents.ts';
import type { InboxClient } from './inbox-client.ts';
import { untilAvailable } from './settle-in.ts';

/** A conversation of the load, and who is in it as far as the load knows. */
export interface Place {
  readonly id: string;
  readonly owner: InboxClient | null;
  /** Those whom the owner removes and adds. */
  readonly guests: readonly InboxClient[];
  readonly members: Set<InboxClient>;
}

const pairs = [
  [0, 1],
  [3, 8],
  [5, 11],
] as const;
const morePairs = [
  ...[0, 1, 2, 3, 4].map((one): [number, number] => [one, one + 6]),
  ...[0, 2, 4, 6, 8, 10].map((one): [number, number] => [one, (one + 3) % 12]),
] as const;

/** Three groups and three pairs, of twelve clients; or eleven pairs more, as most of what people say they say to one. */
export async function openPlaces(
  clients: readonly InboxClient[],
  { hasMorePairs = false } = {},
): Promise<Place[]> {
  const places = [
    await group(clients.slice(0, 12), 2),
    await group(clients.slice(2, 9), 2),
    await group(clients.slice(7, 12), 1),
  ];
  for (const [one, other] of hasMorePairs ? [...pairs, ...morePairs] : pairs) {
    places.push(await direct(clients[one], clients[other]));
  }
  return places;
}

/** The first one owns it, and the last ones are guests. */
async function group(
  [owner, ...others]: readonly InboxClient[],
  guestCount: number,
): Promise<Place> {
  if (!owner) throw new Error('no owner');
  const { username } = owner.user;
  const input = {
    clientRequestId: `group of ${username}`,
    title: `Group of ${username}`,
    memberIds: others.map(({ user }) => user.id),
  };
  const { createGroup } = await untilAvailable(() =>
    owner.user.query(CreateGroupDocument, { input }),
  );
  const members = new Set([owner, ...others]);
  const guests = others.slice(-guestCount);
  return { id: createGroup.conversation.id, owner, guests, members };
}

async function direct(
  opener: InboxClient | undefined,
  peer: InboxClient | undefined,
): Promise<Place> {
  if (!opener || !peer) throw new Error('no pair');
  const id = await untilAvailable(() => opener.user.directWith(peer.user));
  return { id, owner: null, guests: [], members: new Set([opener, peer]) };
}
