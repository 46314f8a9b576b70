/** Where a Redis is: at a URL, or wherever some sentinels say that the primary of that name is. */
export type RedisAddress =
  | { readonly kind: 'url'; readonly url: string }
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly { readonly host: string; readonly port: number }[];
      readonly name: string;
      readonly username: string | null;
      readonly password: string | null;
      /** What the sentinels themselves ask for. */
      readonly sentinelPassword: string | null;
      readonly db: number;
      readonly isTls: boolean;
    };

const sentinelPort = 26_379;
const host = String.raw`(?:\[[0-9a-f:.]+\]|[\w.-]+)(?::\d{1,5})?`;
const sentinelForm = new RegExp(
  String.raw`^(sentinels?)://(?:([^:@/]*)(?::([^@/]*))?@)?(${host}(?:,${host})*)/([\w.-]+)(?:/(\d{1,5}))?(?:\?sentinelPassword=([^&]+))?$`,
  'i',
);

/**
 * Reads `redis://` and `rediss://` (TLS), or `sentinel://` and `sentinels://` (TLS):
 * `sentinel://user:password@host:port,host:port/name/db?sentinelPassword=…`, of which hosts and name are needed.
 * @returns null where it is neither.
 */
export function redisAddressOf(text: string): RedisAddress | null {
  const found = sentinelForm.exec(text);
  if (!found) return isUrl(text) ? { kind: 'url', url: text } : null;
  const [, scheme = '', user, password, hosts = '', name = '', db, sentinelPassword] = found;
  try {
    return {
      kind: 'sentinel',
      sentinels: hosts.split(',').map(hostOf),
      name,
      username: decoded(user),
      password: decoded(password),
      sentinelPassword: decoded(sentinelPassword),
      db: Number(db ?? 0),
      isTls: scheme.toLowerCase() === 'sentinels',
    };
  } catch {
    // A percent sign that begins nothing.
    return null;
  }
}

/** Addresses separated by commas; what follows a comma and is no scheme is one more host of sentinels. */
export function splitAddresses(text: string): string[] {
  return text
    .split(/,\s*(?=[a-z]+:\/\/|$)/i)
    .map((item) => item.replaceAll(/\s/g, ''))
    .filter((item) => item !== '');
}

/** The Redis that an address means, whoever signs in and in which of its databases; a text that is no address is itself. */
export function redisOf(text: string): string {
  const address = redisAddressOf(text);
  if (!address) return text;
  if (address.kind === 'url') {
    const { hostname, port } = new URL(address.url);
    return `${hostname}:${port || '6379'}`;
  }
  const hosts = address.sentinels.map((one) => `${one.host}:${one.port}`).sort();
  return `${hosts.join(',')}/${address.name}`;
}

/** The Redis of a list in their order, as one text: the same for all who mean the same. */
export function redisListOf(addresses: readonly string[]): string {
  return addresses.map(redisOf).join(' ');
}

function isUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return /^rediss?:$/.test(url.protocol) && url.hostname !== '';
}

function hostOf(text: string): { host: string; port: number } {
  const port = /:(\d+)$/.exec(text)?.[1];
  const name = port === undefined || text.endsWith(']') ? text : text.slice(0, -port.length - 1);
  const isPort = port !== undefined && !text.endsWith(']');
  return { host: name.replaceAll(/[[\]]/g, ''), port: isPort ? Number(port) : sentinelPort };
}

function decoded(text: string | undefined): string | null {
  return text ? decodeURIComponent(text) : null;
}
