import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/**
 * Whose address a request counts for. Each proxy appends to X-Forwarded-For whom it was asked by, so of the whole way
 * only the last `trustedProxies` entries are worth believing: what stands before them anybody may write.
 * @returns of IPv6 the network (/64), since one household has as many addresses there as it likes.
 */
export function addressOf(
  { headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>,
  trustedProxies: number,
): string {
  const direct = socket.remoteAddress ?? '';
  const forwarded = headers['x-forwarded-for'];
  if (trustedProxies === 0 || forwarded === undefined) return networkOf(direct);
  const told = (Array.isArray(forwarded) ? forwarded.join(',') : forwarded).split(',');
  const way = [...told.slice(-trustedProxies).map((entry) => entry.trim()), direct];
  const said = way[Math.max(0, way.length - 1 - trustedProxies)] ?? direct;
  return networkOf(isIP(withoutPort(said)) > 0 ? withoutPort(said) : direct);
}

/** Some proxies write the port as well: 192.0.2.1:4711, [2001:db8::1]:4711. */
function withoutPort(text: string): string {
  return /^\[(.+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
}

function networkOf(address: string): string {
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':')) return address;
  const [head = '', tail] = (address.split('%')[0] ?? '').toLowerCase().split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [first, last] = [groups(head), groups(tail ?? '')];
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  const all = [...first, ...Array.from({ length: zeros }, () => '0'), ...last];
  const network = all.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ''));
  return `${network.join(':')}::/64`;
}
