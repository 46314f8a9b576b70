import type { Config, RedPacketSettings } from './config.ts';
import type { Conversations } from './domain/conversation/conversation.ts';
import { Ledger } from './domain/ledger/ledger.ts';
import { RedPackets, type RedPacketRules } from './domain/red-packet/red-packet.ts';
import type { Timelines } from './domain/timeline/timeline.ts';
import type { Users } from './domain/user/user.ts';
import { Wallets } from './domain/wallet/wallet.ts';
import type { Clock } from './lib/clock.ts';
import type { Failpoints } from './lib/failpoint.ts';
import type { IdSource } from './lib/id.ts';
import type { Logger } from './lib/log.ts';
import type { limits } from './limits.ts';
import type { Pipeline } from './realtime/pipeline.ts';
import type { Shards } from './storage/shards.ts';

/** What every part of a node is wired with. */
export interface Base {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  readonly failpoints: Failpoints;
  readonly limits: typeof limits;
}

/** A node's money, wired: a part of server.ts that has a file of its own. */
export function wireMoney(
  base: Base,
  chat: {
    readonly shards: Shards;
    readonly ids: IdSource;
    readonly users: Users;
    readonly conversations: Conversations;
    readonly timelines: Timelines;
    readonly pipeline: Pipeline;
    readonly isAlone: boolean;
  },
) {
  const { pipeline } = chat;
  const wallets = new Wallets({
    ...base,
    ...chat,
    onEntries: (shardIndex) => pipeline.walletNotices.wake(shardIndex),
  });
  const rulesOf = redPacketRules(base.config);
  const redPackets = new RedPackets({ ...base, ...chat, wallets, rulesOf });
  pipeline.onMembershipEnded((id, userId) => redPackets.membershipEnded(id, userId));
  return { wallets, redPackets, ledger: new Ledger(chat) };
}

/** An app's own rules, else those of all. */
function redPacketRules({ redPackets }: Config): (appId: string) => RedPacketRules {
  const rules = ({ shareMax, countMax, ttlSeconds }: RedPacketSettings): RedPacketRules => ({
    shareMax,
    countMax,
    ttlMs: ttlSeconds * 1000,
  });
  const byApp = new Map(redPackets.apps.map((own) => [own.appId, rules(own)]));
  const common = rules(redPackets);
  return (appId) => byApp.get(appId) ?? common;
}
