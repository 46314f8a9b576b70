import type { Signal } from '../../domain/inbox/inbox.ts';

let lastHeartbeat: { readonly atMs: number; readonly signal: Signal } | null = null;

/** Says that all is told: one value for all who are told at one time. */
export function heartbeatAt(atMs: number): Signal {
  if (lastHeartbeat?.atMs !== atMs) lastHeartbeat = { atMs, signal: { kind: 'InboxHeartbeat' } };
  return lastHeartbeat.signal;
}
