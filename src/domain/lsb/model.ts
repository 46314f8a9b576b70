/** Whether a gate takes new connections. One that is not ready does so where there is no better one. */
export type GateState = 'OPEN' | 'DRAINING' | 'NOT_READY';

/** What a gate says of itself. */
export interface GateReport {
  /** The name of its node. */
  readonly id: string;
  /** Unlike that of any other process, also of one by the same name. */
  readonly life: string;
  /** Where clients find its GraphQL endpoint by HTTP; by WebSocket it is the same. */
  readonly httpUrl: string;
  /** The apps whose clients are sent here. */
  readonly apps: readonly string[];
  /** What its operator calls the release that it runs, for canary rules. */
  readonly track: string;
  /** How many connections it bears, next to others: one of 2 gets twice what one of 1 gets. */
  readonly weight: number;
  readonly connections: number;
  readonly state: GateState;
}

/** A gate as its last report has it. */
export interface KnownGate extends GateReport {
  /** How many clients were sent there whom the report cannot count yet. */
  readonly tickets: number;
}

/** Who wants to connect. */
export interface GateAsk {
  readonly appId: string;
  /** Null: not told. */
  readonly clientVersion: string | null;
  readonly deviceId: string | null;
}

/** Where gates that no rule names are, and clients that no rule sends elsewhere. */
export const stableTrack = 'stable';

/** How full a gate is, next to others: with those who are on their way. */
export function loadOf({ connections, tickets, weight }: KnownGate): number {
  return (connections + tickets) / weight;
}

/** The URL by which sockets dial what HTTP finds at `httpUrl`. */
export function socketUrl(httpUrl: string): string {
  return httpUrl.replace(/^http/, 'ws');
}
