/** A process of clients: it holds many inboxes open, checks all that comes, and tells the bench when it is asked. */
import { seeded } from '../runner/numbers.ts';
import { ownCpuMicros } from '../runner/machine.ts';
import { AtOnceLine, FleetClient, GraphqlWsLine, type Line } from './client.ts';
import type { FleetOrder, FleetReport, FleetStatus, Outage } from './protocol.ts';

const openingAtOnce = 48;

const clients: FleetClient[] = [];
const lines: Line[] = [];
const outages: Outage[] = [];
let failure: string | null = null;

async function start(order: Extract<FleetOrder, { kind: 'start' }>): Promise<void> {
  const { clientKind, gates, query, clients: specs, seed } = order;
  const queue = specs.values();
  const random = seeded(seed);
  const opener = async (): Promise<void> => {
    for (const spec of queue) {
      const deps = {
        ...{ spec, gates, query, random },
        onOutage: (outage: Outage) => outages.push(outage),
        onFailure: (error: Error) => {
          failure ??= error.message;
        },
      };
      const client = new FleetClient(deps);
      clients.push(client);
      const isLive = client.untilLive();
      lines.push(
        clientKind === 'at-once' ? new AtOnceLine(client, deps) : new GraphqlWsLine(client, deps),
      );
      await isLive;
    }
  };
  await Promise.all(Array.from({ length: openingAtOnce }, opener));
}

function status(): FleetStatus {
  return {
    kind: 'status',
    live: clients.reduce((count, { isLive }) => count + (isLive ? 1 : 0), 0),
    resumed: outages.length,
    leastMessages: Math.min(...clients.map(({ view }) => view.messages)),
    failure,
  };
}

function report(): FleetReport {
  return {
    kind: 'report',
    outages,
    seen: clients.map(({ view }) => view.seen()),
    longestDelaysMs: clients.map(({ view }) => view.longestDelayMs),
    cpuMicros: ownCpuMicros(),
  };
}

process.on('message', (order: FleetOrder) => {
  if (order.kind === 'start') void start(order);
  else if (order.kind === 'cut') for (const line of lines) line.cut();
  else process.send?.(order.kind === 'status' ? status() : report());
});
// The bench is gone.
process.on('disconnect', () => process.exit(0));
