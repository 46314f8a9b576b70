import type { Gates } from './doors.ts';
import { Apps } from './domain/app/app.ts';
import { GateRuleBook, Lsb, MemoryGateBook, RedisGateBook } from './domain/lsb/lsb.ts';
import type { Viewer } from './domain/session/session.ts';
import type { Gate } from './gate/gate.ts';
import type { Lifecycle } from './lib/lifecycle.ts';
import type { Base } from './money.ts';
import type { Links } from './realtime/nodes/links.ts';
import { readinessOf } from './readiness.ts';
import type { Shards } from './storage/shards.ts';

/** A node's LSB, wired: a part of server.ts that has a file of its own. */
export function wireGates(
  base: Base,
  deps: {
    readonly shards: Shards;
    readonly links: Links;
    readonly random: () => number;
    /** Where clients find this node, once it listens. */
    readonly url: () => string;
    /** What the LSB and it ask of each other they ask once both are there. */
    readonly gate: () => Pick<Gate, 'connectionCount' | 'handOn'>;
    /** False: only who knows its address comes. */
    readonly isListed: boolean;
  },
) {
  const { apps, track, weight, shedPercentPerMinute } = base.config.gate;
  let url = '';
  const [first] = deps.links.shared?.buckets.all ?? [];
  const isAlone = first === undefined;
  const readiness = readinessOf({
    shards: deps.shards,
    shared: deps.links.shared,
    isServing: () => true,
  });
  const rules = new GateRuleBook({ ...base, shards: deps.shards, isAlone });
  const lsb = new Lsb({
    ...base,
    book: first ? new RedisGateBook({ ...base, bucket: first }) : new MemoryGateBook(base),
    rules,
    apps: new Apps(base.config.apps),
    own: () => ({
      id: deps.links.node,
      life: deps.links.gate,
      httpUrl: `${url}/graphql`,
      apps,
      track,
      weight,
      connections: deps.gate().connectionCount,
    }),
    // Who is alone is the best there is, so it need not know.
    isReady: async () => isAlone || (await readiness()).status !== 'not ready',
    onExcess: (connections) => deps.gate().handOn(connections),
    shedPercentPerMinute,
    random: deps.random,
  });
  const gates: Gates = {
    ticket: (ask) => lsb.ticket(ask),
    known: () => lsb.gates,
    rules: () => rules.held,
    replaceRules: (value) => rules.replace(value),
  };
  const listing: Lifecycle = {
    start: async () => {
      // While it drains it has no port any more that it could be asked for.
      url = deps.url();
      if (deps.isListed) await lsb.listing.start();
    },
    stop: async (graceMs) => {
      if (deps.isListed) await lsb.listing.stop(graceMs);
    },
  };
  const elsewhere = (viewer: Viewer | null) => lsb.elsewhere(viewer?.appId ?? null);
  return { gates, elsewhere, parts: [rules, lsb], listing };
}
