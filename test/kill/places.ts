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

/** Three groups and three pairs, of twelve clients. */
export async function openPlaces(clients: readonly InboxClient[]): Promise<Place[]> {
  return [
    await group(clients.slice(0, 12), 2),
    await group(clients.slice(2, 9), 2),
    await group(clients.slice(7, 12), 1),
    await direct(clients[0], clients[1]),
    await direct(clients[3], clients[8]),
    await direct(clients[5], clients[11]),
  ];
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
