import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { operatorKeyIn, ServerKeys, serverKeyPattern } from '../../src/domain/app/server-keys.ts';
import { StartupRefusal } from '../../src/storage/startup-refusal.ts';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(path.join(tmpdir(), 'fastim-keys-'))));
afterEach(() => rm(folder, { recursive: true }));

test('the key of the operator is made once, for its owner alone, however many begin at once', async () => {
  const file = path.join(folder, 'data', 'operator-key');
  const keys = await Promise.all(Array.from({ length: 8 }, () => operatorKeyIn(file)));
  expect(new Set(keys).size).toBe(1);
  expect(keys[0]).toMatch(serverKeyPattern);
  expect((await readFile(file, 'utf8')).trim()).toBe(keys[0]);
  expect((await stat(file)).mode & 0o077).toBe(0);
});

test('a file that holds no key is a refusal that says which and what to do', async () => {
  const file = path.join(folder, 'operator-key');
  for (const text of ['', 'short', `${'k'.repeat(40)} and more`]) {
    await writeFile(file, text);
    const refused = operatorKeyIn(file);
    await expect(refused).rejects.toBeInstanceOf(StartupRefusal);
    await expect(refused).rejects.toThrow(`There is no key in ${file}: put back`);
    expect(await readFile(file, 'utf8')).toBe(text);
  }
});

test('each key stands for its app, the operator for all, and what is no key for nobody', async () => {
  const operatorFile = path.join(folder, 'operator-key');
  const secret = 'a'.repeat(32);
  const keys = new ServerKeys({ keys: [{ appId: 'shop', secret }], operatorFile });
  await keys.start();
  expect(keys.verify(secret)).toEqual({ appId: 'shop' });
  expect(keys.verify(await operatorKeyIn(operatorFile))).toEqual({ appId: null });
  for (const wrong of ['', 'b'.repeat(32), `${secret}=`, 'a.b.c']) {
    expect(keys.verify(wrong), wrong).toBe(null);
  }
});
