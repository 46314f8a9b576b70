/** Somebody or something that is at a gate, as Redis keeps it. */
export type Stay = `${'r' | 'o' | 's'}${string}`;

/** Where a user's inbox is open: whoever appends to it publishes to `gateChannel` of each such gate. */
export function routeOf(userId: bigint): Stay {
  return `r${userId}`;
}

/** Where a user is online. */
export function attendanceOf(userId: bigint): Stay {
  return `o${userId}`;
}

/** Where a session is online. */
export function seatOf(sessionId: bigint): Stay {
  return `s${sessionId}`;
}

/** The id that a stay is about: of the user, or of one of their sessions, which has the slot of the user. */
export function idOf(stay: Stay): bigint {
  return BigInt(stay.slice(1));
}

/** Where a gate hears what was appended to the logs of its users. */
export function gateChannel(gate: string): string {
  return `gate:${gate}`;
}
