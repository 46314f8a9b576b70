import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { at, bustleKeys, Bustle, endow, historyOf } from '../support/bustle.ts';
import { bundleServer } from '../support/bundle.ts';
import {
  briefs,
  cursorAt,
  groupOf,
  inboxOf,
  openInbox,
  pause,
  people,
  range,
  send,
} from '../support/live.ts';
import { operate } from '../support/operate.ts';
import { freePort, ServerProcess } from '../support/process.ts';
import { temporaryFolder } from '../support/sql-engines.ts';

test('a backup that is taken while the embedded server runs is a whole deployment in an empty folder', async () => {
  await using bundle = await bundleServer();
  await using folder = await temporaryFolder();
  const dataDir = path.join(folder.path, 'data');
  const to = path.join(folder.path, 'backup');
  const env = { NODE_ENV: 'test', DATA_DIR: dataDir, SERVER_KEYS: bustleKeys, LOG_LEVEL: 'warn' };
  await using server = new ServerProcess(await freePort(), env, bundle.main);
  await server.start();
  const users = await people(server, 3);
  const [ann, bob] = users as [(typeof users)[0], (typeof users)[0]];
  await endow(server, users);
  const id = await groupOf(ann, ...users.slice(1));
  const inbox = await openInbox(bob);

  const bustle = new Bustle(users, [id]);
  await inbox.until(() => inbox.events.length > 50, 'some events', 30_000);
  const beganMs = Date.now();
  expect(await operate(bundle, ['backup', '--to', to], env)).toMatchObject({ code: 0 });
  await pause(300);
  await bustle.stop();
  const before = bustle.acked.filter(({ atMs }) => atMs < beganMs);
  const last = await send(ann, id, 'the last one');
  await inbox.until(() => briefs(inbox).includes(`added ${last}`), 'the last one', 30_000);
  const cursor = cursorAt(inbox, -1);
  await server.kill9();
  expect(await operate(bundle, ['backup', '--to', to], env)).toMatchObject({
    code: 69,
    output: expect.stringContaining('is there already'),
  });

  expect(readdirSync(to).sort()).toEqual(['access-token-keys.json', 'fastim.db', 'operator-key']);
  const restoredDir = path.join(folder.path, 'restored');
  mkdirSync(restoredDir, { mode: 0o700 });
  for (const file of readdirSync(to)) {
    copyFileSync(path.join(to, file), path.join(restoredDir, file));
  }
  const restoredEnv = { ...env, DATA_DIR: restoredDir };
  await using restored = new ServerProcess(await freePort(), restoredEnv, bundle.main);
  await restored.start();
  const [annThere, bobThere] = [at(restored, ann), at(restored, bob)];
  // Red packets that were on their way are posted meanwhile.
  const after = await send(annThere, id, 'after it');
  const history = await historyOf(annThere, id);
  expect([...history.keys()]).toEqual(range(1, history.size));
  expect(before.length).toBeGreaterThan(3);
  for (const { seq, text } of before) expect(history.get(seq)).toBe(text);
  expect(history.get(after)).toBe('after it');
  // Until his old log would be longer than his cursor.
  for (const index of range(1, 200)) await send(annThere, id, `later ${index}`);
  const resumed = await openInbox(bobThere, cursor);
  await resumed.until(() => resumed.events.length > 0, 'an event', 30_000);
  expect(inboxOf(resumed)[0]?.__typename).toBe('InboxReset');
  const next = await send(annThere, id, 'and one more');
  await resumed.until(() => briefs(resumed).includes(`added ${next}`), 'the next one', 30_000);
  const audit = await operate(bundle, ['ledger:check', '--url', restored.url], restoredEnv);
  expect(audit).toMatchObject({ code: 0 });
  for (const user of [...users, annThere, bobThere]) await user[Symbol.asyncDispose]();
}, 180_000);
