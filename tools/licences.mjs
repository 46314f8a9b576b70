// Checks, without a network, that each installed package the server needs has a licence that lets
// it be shipped, and that every package of the lock, development tools too, is bound to its SHA-512.
// Reads what npm wrote into package-lock.json; development tools are not shipped.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const allowed = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  // Used as it is published, from node_modules: the terms ask for no more.
  'LGPL-2.1-or-later',
  'MIT',
  'MIT-0',
  'Unlicense',
]);

const lock = JSON.parse(
  readFileSync(fileURLToPath(new URL('../package-lock.json', import.meta.url)), 'utf8'),
);
const shipped = Object.entries(lock.packages).filter(
  ([path, { dev, devOptional, link }]) => path !== '' && !dev && !devOptional && !link,
);

/** Whether an SPDX expression leaves a choice that is allowed. */
function isAllowed(expression) {
  return expression
    .replaceAll(/[()]/g, '')
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((id) => allowed.has(id.trim())));
}

const refused = shipped.flatMap(([path, { license }]) => {
  const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
  return license !== undefined && isAllowed(license)
    ? []
    : [`${name}: ${license ?? 'no licence named'}`];
});

for (const [path, { integrity, link }] of Object.entries(lock.packages)) {
  if (path === '' || link || integrity?.startsWith('sha512-')) continue;
  refused.push(`${path}: the lock does not hold its SHA-512`);
}

if (shipped.length < 20) refused.push(`only ${shipped.length} packages were looked at`);
for (const line of refused) console.error(`licence: ${line}`);
if (refused.length > 0) process.exitCode = 1;
else
  console.log(`licences: ${shipped.length} shipped packages, all allowed, all bound by the lock`);
