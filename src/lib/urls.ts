/** A place on the web, with or without a path. */
export function isPublicUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '';
}

/** A URL's origin alone, as a browser writes it in its Origin header. */
export function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

/** Of MySQL's kind, with a host and a database. */
export function isDatabaseUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return /^(mysql|mariadb):$/.test(url.protocol) && url.hostname !== '' && url.pathname.length > 1;
}

/** The database that a URL names, whoever signs in; a text that is no such URL is itself. */
export function databaseOf(text: string): string {
  if (!isDatabaseUrl(text)) return text;
  const url = new URL(text);
  return `${url.hostname}:${url.port || '3306'}${url.pathname}`;
}
