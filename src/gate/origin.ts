/**
 * Whether a page of that origin may use the API. A request without an Origin header comes from no page: native apps,
 * scripts and same-origin reads have none, and what a page could abuse (cookies) is not used.
 * @param host the request's Host header: a page of the server itself is always welcome.
 */
export function isAllowedOrigin(
  origin: string | undefined,
  host: string | undefined,
  allowed: ReadonlySet<string>,
): boolean {
  if (origin === undefined) return true;
  if (allowed.has(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
