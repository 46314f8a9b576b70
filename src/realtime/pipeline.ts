import type { CommittedRow } from '../domain/timeline/timeline.ts';
import type { Clock } from '../lib/clock.ts';
import type { Failpoints } from '../lib/failpoint.ts';
import type { Lifecycle } from '../lib/lifecycle.ts';
import type { Logger } from '../lib/log.ts';
import type { limits as allLimits } from '../limits.ts';
import type { Shards } from '../storage/shards.ts';
import { Followers } from './followers.ts';
import { InboxLog } from './inbox-log.ts';
import { LargeGroups } from './large-groups.ts';
import { MemberLists } from './member-lists.ts';
import { Outbox } from './outbox.ts';
import { ReadNotices } from './read-notices.ts';
import { Router } from './router.ts';
import { WalletNotices } from './wallet-notices.ts';

export interface PipelineDeps {
  readonly shards: Shards;
  readonly clock: Clock;
  readonly log: Logger;
  readonly failpoints: Failpoints;
  readonly receiptGroupMembers: number;
  readonly limits: typeof allLimits;
}

/** Told when a membership ends, before anything else tells of it. */
export type MembershipEnded = (conversationId: bigint, userId: bigint) => void;

/**
 * The way from a commit to the connections of this node: those who follow the conversation hear it at once, the inboxes by
 * way of their logs.
 */
export class Pipeline {
  readonly router = new Router();
  readonly followers = new Followers();
  readonly inboxLog: InboxLog;
  readonly largeGroups: LargeGroups;
  readonly outbox: Outbox;
  readonly readNotices: ReadNotices;
  readonly walletNotices: WalletNotices;
  readonly #onMembershipEnded: MembershipEnded[] = [];

  constructor(deps: PipelineDeps) {
    const memberLists = new MemberLists({
      shards: deps.shards,
      usersMax: deps.limits.memberListsUsersMax,
    });
    this.inboxLog = new InboxLog({
      ...deps,
      onRecovered: (shard) => this.router.recheck((userId) => deps.shards.of(userId) === shard),
    });
    this.largeGroups = new LargeGroups(deps);
    const shared = { ...deps, inboxLog: this.inboxLog, memberLists, router: this.router };
    this.outbox = new Outbox({
      ...shared,
      onFound: (rows) => rows.forEach((row) => this.#found(row)),
    });
    this.readNotices = new ReadNotices(shared);
    this.walletNotices = new WalletNotices(shared);
  }

  /** In the order in which they start, all of them before the first commit. */
  get parts(): readonly Lifecycle[] {
    return [this.inboxLog, this.largeGroups, this.outbox, this.readNotices, this.walletNotices];
  }

  onMembershipEnded(listener: MembershipEnded): void {
    this.#onMembershipEnded.push(listener);
  }

  /** A row that the writer has committed; rows of a shard come in the order of their commits. */
  committed(row: CommittedRow): void {
    this.followers.tell(row);
    this.#tellGroups(row);
    this.outbox.offer(row);
  }

  /** The outcome of a commit is unknown: what it did is told as soon as it is found. */
  doubt(shardIndex: number): void {
    this.outbox.doubt(shardIndex);
  }

  /** A row of which perhaps nobody here has heard: telling twice does no harm. */
  #found(row: CommittedRow): void {
    for (const { conversationId } of row.body.parts) this.followers.recheck(conversationId);
    this.#tellGroups(row);
  }

  #tellGroups({ body, createdAtMs }: CommittedRow): void {
    for (const part of body.parts) {
      const { conversationId } = part;
      for (const item of part.items) {
        if (item.kind !== 'removed') continue;
        for (const userId of item.userIds) {
          this.largeGroups.dismiss(conversationId, userId);
          for (const listener of this.#onMembershipEnded) listener(conversationId, userId);
        }
      }
      this.largeGroups.advance(part, createdAtMs);
    }
  }
}
