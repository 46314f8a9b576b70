import { fileURLToPath } from 'node:url';

/** Of nobody but these tests: for localhost, signed by itself. */
const pem = (name: string): string => fileURLToPath(new URL(`./tls/${name}.pem`, import.meta.url));

/** What trusts it, as NODE_EXTRA_CA_CERTS names it. */
export const tlsTrusted = pem('cert');

const settingsOf = (port: number): [name: string, value: string][] => [
  ['tls-port', String(port)],
  ['tls-cert-file', pem('cert')],
  ['tls-key-file', pem('key')],
  ['tls-ca-cert-file', pem('cert')],
  ['tls-auth-clients', 'no'],
];

/** Lines in the configuration of a Redis that speaks TLS at this port. */
export function tlsSettings(port: number): string[] {
  return settingsOf(port).map((setting) => setting.join(' '));
}

/** The same as flags. */
export function tlsFlags(port: number): string[] {
  return settingsOf(port).flatMap(([name, value]) => [`--${name}`, value]);
}
