import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

/** Whether a request offers to go on as a WebSocket, and nothing else. */
export function wantsWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.trim().toLowerCase() === 'websocket';
}

/** Headers that an offer to change the protocol consists of. */
const ofTheOffer = new Set(['upgrade', 'http2-settings']);

/**
 * Serves a request as if it had not offered another protocol, as whoever knows none of those offered shall (RFC 9110, 7.8): `curl
 * --http2` and Java's client offer HTTP/2 in clear text with their first request. Node hands such a request over unread, so its
 * wire is given back to the server with the request in front, the offer left out.
 */
export function serveAsItIs(
  server: Server,
  { method, url, rawHeaders }: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  const lines = [`${method} ${url} HTTP/1.1`];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    const value = rawHeaders[at + 1] ?? '';
    const lowerName = name.toLowerCase();
    if (ofTheOffer.has(lowerName)) continue;
    if (lowerName === 'connection') lines.push(`${name}: ${withoutOffer(value)}`);
    else lines.push(`${name}: ${value}`);
  }
  const request = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  socket.unshift(Buffer.concat([request, head]));
  server.emit('connection', socket);
}

function withoutOffer(connection: string): string {
  const options = connection.split(',').map((option) => option.trim());
  return options.filter((option) => !ofTheOffer.has(option.toLowerCase())).join(', ');
}
