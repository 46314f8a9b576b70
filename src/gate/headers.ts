/**
 * What every answer of a node says to browsers: take it for what it says it is, show it in no frame, load nothing from
 * it, tell nobody where you came from. The GraphiQL page has a policy of its own.
 */
export const safeHeaders = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
} as const satisfies Readonly<Record<string, string>>;

/** Come by https alone, for a year: where the world reaches the node by https. */
export function transportHeaders(publicUrl: string | undefined): Readonly<Record<string, string>> {
  if (!publicUrl?.startsWith('https:')) return {};
  return { 'strict-transport-security': 'max-age=31536000' };
}

/** An answer without a response object: to what is no request, or an upgrade that is refused. */
export function rawAnswer(status: string, headers: Readonly<Record<string, string>> = {}): string {
  const all = { connection: 'close', 'content-length': '0', ...safeHeaders, ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status}\r\n${lines.join('')}\r\n`;
}
