/** What the bench and the processes of its clients say to each other. */

/** How a client comes back: by itself at once, or as graphql-ws' own client does. */
export type ClientKind = 'at-once' | 'graphql-ws';

export interface ClientSpec {
  readonly userId: string;
  readonly accessToken: string;
  /** Where it dials first, by index. */
  readonly gate: number;
}

export type FleetOrder =
  | {
      readonly kind: 'start';
      readonly clientKind: ClientKind;
      /** WebSocket URLs. */
      readonly gates: readonly string[];
      readonly query: string;
      readonly clients: readonly ClientSpec[];
      readonly seed: number;
    }
  /** Breaks all connections, once. */
  | { readonly kind: 'cut' }
  | { readonly kind: 'status' }
  | { readonly kind: 'report' };

/** How it stands. */
export interface FleetStatus {
  readonly kind: 'status';
  /** Clients that are live: their replay is done. */
  readonly live: number;
  /** Times that a client became live again after its connection was gone. */
  readonly resumed: number;
  /** Messages that the client has taken that is furthest behind. */
  readonly leastMessages: number;
  /** What was wrong, of the first that found anything. */
  readonly failure: string | null;
}

/** A time without a live stream, of one client. Times are in ms of the system's clock. */
export interface Outage {
  readonly closedAtMs: number;
  /** 0: without a word. */
  readonly closeCode: number;
  readonly liveAtMs: number;
  readonly attempts: number;
  /** Events that came before it was live again. */
  readonly replayed: number;
}

/** What one client saw of its conversation. */
export interface Seen {
  readonly conversationId: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** `chainOf` all messages from the first to the last. */
  readonly chain: string;
}

export interface FleetReport {
  readonly kind: 'report';
  readonly outages: readonly Outage[];
  readonly seen: readonly (readonly Seen[])[];
  /** From the commit of a message until a client had it: the longest of each client, in ms. */
  readonly longestDelaysMs: readonly number[];
  readonly cpuMicros: number;
}
