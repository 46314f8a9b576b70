// Makes the file of keys that all nodes of a cluster sign with, where it is not there yet: `node tools/make-keys.mjs <path>`.
import { writeFileSync } from 'node:fs';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';

const [file] = process.argv.slice(2);
if (!file) {
  console.error('Where to? node tools/make-keys.mjs <path>');
  process.exit(64);
}
const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
const jwk = await exportJWK(privateKey);
const key = { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'EdDSA', use: 'sig' };
try {
  writeFileSync(file, `${JSON.stringify({ keys: [key] }, null, 2)}\n`, { flag: 'wx', mode: 0o600 });
} catch (error) {
  if (error.code !== 'EEXIST') throw error;
  console.error(`${file} is there already: it stays as it is.`);
}
