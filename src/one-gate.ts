import type { Gates } from './context.ts';
import { Apps } from './domain/app/app.ts';
import type { Clock } from './lib/clock.ts';

const ticketTtlMs = 60_000;

/**
 * This node is all there is: it answers with itself.
 * @param deps.url where clients find it; known once it listens.
 */
export function oneGate(deps: { apps: readonly string[]; clock: Clock; url: () => string }): Gates {
  const apps = new Apps(deps.apps);
  return {
    async ticket({ appId }) {
      apps.enter(appId);
      const httpUrl = `${deps.url()}/graphql`;
      return {
        url: httpUrl.replace(/^http/, 'ws'),
        httpUrl,
        gateId: 'gate-1',
        expiresAtMs: deps.clock.now() + ticketTtlMs,
        alternates: [],
      };
    },
  };
}
