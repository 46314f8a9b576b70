import type { CommittedRow } from '../domain/timeline/timeline.ts';
import type { Clock } from '../lib/clock.ts';
import type { Failpoints } from '../lib/failpoint.ts';
import type { Lifecycle } from '../lib/lifecycle.ts';
import type { Logger } from '../lib/log.ts';
import type { limits as allLimits } from '../limits.ts';
import type { Shards } from '../storage/shards.ts';
import { Announcements } from './nodes/announcements.ts';
import { ConversationNews } from './conversation/conversation-news.ts';
import { Deliveries } from './nodes/deliveries.ts';
import { Followers } from './conversation/followers.ts';
import type { InboxLog } from './inbox/inbox-log.ts';
import { LargeGroups } from './conversation/large-groups.ts';
import type { Links } from './nodes/links.ts';
import { MemberLists } from './outbox/member-lists.ts';
import { readNotices } from './inbox/read-notices.ts';
import type { News } from './conversation/news.ts';
import { Router } from './inbox/router.ts';
import { routeOf } from './nodes/stays.ts';
import { wayOfNodes } from './way-of-nodes.ts';
import { wayOfOneNode, type Way, type WayDeps } from './way.ts';
import { walletNotices } from './inbox/wallet-notices.ts';

export interface PipelineDeps {
  readonly shards: Shards;
  readonly clock: Clock;
  readonly log: Logger;
  readonly failpoints: Failpoints;
  readonly receiptGroupMembers: number;
  readonly limits: typeof allLimits;
  readonly links: Links;
}

/** Told when a membership ends, before anything else tells of it. */
export type MembershipEnded = (conversationId: bigint, userId: bigint) => void;

/**
 * The way from a commit to the connections of all nodes: those who follow the conversation hear it at once, the inboxes by
 * way of their logs.
 */
export class Pipeline {
  readonly router: Router;
  readonly followers: Followers;
  readonly news: ConversationNews;
  readonly announcements: Announcements;
  readonly largeGroups: LargeGroups;
  readonly readNotices: ReturnType<typeof readNotices>;
  readonly walletNotices: ReturnType<typeof walletNotices>;
  readonly #log: Logger;
  readonly #way: Way;
  readonly #deliveries: Lifecycle[];
  readonly #onMembershipEnded: MembershipEnded[] = [];

  constructor(deps: PipelineDeps) {
    const { links, shards, clock, limits } = deps;
    const { shared } = links;
    this.#log = deps.log;
    const memberLists = new MemberLists({ shards, usersMax: limits.memberListsUsersMax });
    this.router = new Router(
      shared
        ? (userId, isHere) => shared.stays.set(routeOf(userId), isHere, clock.now())
        : undefined,
    );
    const isAlone = shared === null;
    this.news = new ConversationNews({ ...deps, ...links, isAlone });
    this.announcements = new Announcements({ ...deps, ...links, isAlone });
    this.followers = new Followers(this.news);
    this.largeGroups = new LargeGroups({ ...deps, news: this.news });
    const wayDeps: WayDeps = {
      ...deps,
      router: this.router,
      memberLists,
      onFound: (rows) => rows.forEach((row) => this.#found(row)),
    };
    this.#way = shared ? wayOfNodes(wayDeps, shared.buckets, links.gate) : wayOfOneNode(wayDeps);
    this.#deliveries = shared ? [this.#deliveriesBy(deps, shared)] : [];
    this.readNotices = readNotices({ ...deps, ...this.#way });
    this.news.listen({
      onNews: (news) => this.#heard(news),
      onGap: (conversationId) => this.#reread(conversationId),
    });
    this.walletNotices = walletNotices({
      ...deps,
      inboxLog: this.#way.inboxLog,
      router: this.router,
    });
    this.announcements.onRemoved((conversationId, userIds) =>
      this.#membershipsEnded(conversationId, userIds),
    );
  }

  get inboxLog(): InboxLog {
    return this.#way.inboxLog;
  }

  /** In the order in which they start, all of them before the first commit. */
  get parts(): readonly Lifecycle[] {
    return [
      this.news,
      this.announcements,
      this.largeGroups,
      ...this.#deliveries,
      ...this.#way.parts,
      this.readNotices,
      this.walletNotices,
    ];
  }

  onMembershipEnded(listener: MembershipEnded): void {
    this.#onMembershipEnded.push(listener);
  }

  /** A row that the writer has committed; rows of a shard come in the order of their commits. */
  committed(row: CommittedRow): void {
    for (const { conversationId, items } of row.body.parts) {
      const userIds = items.flatMap((item) => (item.kind === 'removed' ? item.userIds : []));
      if (userIds.length === 0) continue;
      this.#membershipsEnded(conversationId, userIds);
      this.announcements.removed(conversationId, userIds);
    }
    this.news.committed(row);
    this.#way.outbox.offer(row);
  }

  /** The outcome of a commit is unknown: what it did is told as soon as it is found. */
  doubt(shardIndex: number): void {
    this.#way.outbox.doubt(shardIndex);
  }

  /** A row of which perhaps nobody here has heard: telling twice does no harm. */
  #found({ body }: CommittedRow): void {
    for (const { conversationId, items } of body.parts) {
      for (const item of items) {
        if (item.kind === 'removed') this.#membershipsEnded(conversationId, item.userIds);
      }
      this.news.doubt(conversationId);
    }
  }

  #heard(news: News): void {
    const { part, atMs } = news;
    this.followers.tell(news);
    for (const item of part.items) {
      if (item.kind !== 'removed') continue;
      for (const userId of item.userIds) this.largeGroups.dismiss(part.conversationId, userId);
    }
    this.largeGroups.advance(part, atMs);
  }

  #reread(conversationId: bigint): void {
    this.followers.recheck(conversationId);
    this.largeGroups.reread(conversationId).catch((err: unknown) => {
      this.#log.warn({ err }, 'largeGroups.reread_failed');
    });
  }

  #membershipsEnded(conversationId: bigint, userIds: readonly bigint[]): void {
    for (const userId of userIds) {
      for (const listener of this.#onMembershipEnded) listener(conversationId, userId);
    }
  }

  #deliveriesBy(deps: PipelineDeps, { buckets, stays }: NonNullable<Links['shared']>): Deliveries {
    const deliveries = new Deliveries({
      ...deps,
      ...deps.links,
      router: this.router,
      bucketIndexOf: (userId) => buckets.of(userId).index,
    });
    stays.onSaidAgain(({ index }) => deliveries.recheck(index));
    return deliveries;
  }
}
