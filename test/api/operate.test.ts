import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleServer, type Bundle } from '../support/bundle.ts';
import { signUp, type TestUser } from '../support/clients.ts';
import { inboxOf, openInbox } from '../support/live.ts';
import { balanceOf } from '../support/money.ts';
import { operate } from '../support/operate.ts';
import { freePort, ServerProcess } from '../support/process.ts';

describe("the operator's commands", () => {
  let folder: string;
  let bundle: Bundle;
  let server: ServerProcess;
  let ann: TestUser;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'fastim-operate-'));
    bundle = await bundleServer();
    const env = { DATA_DIR: folder, LOG_LEVEL: 'error' };
    server = new ServerProcess(await freePort(), env, bundle.main);
    await server.start();
    ann = await signUp(server, 'ann');
  }, 60_000);
  afterAll(async () => {
    await server?.kill9();
    await bundle?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    operate(bundle, args, { DATA_DIR: folder, PORT: new URL(server.url).port, ...env });

  const credit = (
    amount: string,
    key: string,
    env?: Readonly<Record<string, string>>,
    more: readonly string[] = [],
  ) => {
    const what = [
      '--user-id',
      ann.id,
      '--amount',
      amount,
      '--key',
      key,
      '--reason',
      'paid by card',
    ];
    return run(['wallet:credit', ...what, ...more], env);
  };

  test('credit a wallet while the server runs, once for a key, and it is told', async () => {
    const live = await openInbox(ann);
    const first = await credit('500', 'payment-1');
    expect(first).toMatchObject({ code: 0, output: expect.stringContaining('500') });
    const again = await credit('500', 'payment-1');
    expect(again).toMatchObject({ code: 0, output: expect.stringMatching(/^Was credited before/) });
    expect(await balanceOf(ann)).toBe(500);
    const isTold = () => inboxOf(live).some(({ __typename: type }) => type === 'WalletChanged');
    await live.until(isTold, 'the entry');
    const other = await credit('501', 'payment-1');
    expect(other).toMatchObject({
      code: 1,
      output: expect.stringMatching(/^IDEMPOTENCY_CONFLICT/),
    });
  }, 60_000);

  test('say what is wrong with what they are given', async () => {
    for (const amount of ['1.5', '-5', '']) {
      expect(await credit(amount, 'k'), amount).toMatchObject({ code: 64 });
    }
    expect(await run(['wallet:credit', '--amount', '5'])).toMatchObject({ code: 64 });
    expect(await run(['wallet:steal'])).toMatchObject({ code: 64 });
    const usage = { code: 0, output: expect.stringMatching(/^Usage:\n/) };
    expect(await run(['ledger:check', '--help'])).toMatchObject(usage);
    // The server itself takes none: whoever gives it a port there would wonder where it listens.
    const server = await operate({ ...bundle, operate: bundle.main }, ['--port', '5000'], {});
    expect(server).toMatchObject({ code: 64, output: expect.stringContaining('.env.example') });
    for (const option of [
      ['--amount', '7'],
      ['--key', 'k'],
    ]) {
      const twice = await credit('5', 'k', {}, option);
      const output = expect.stringMatching(new RegExp(`^${option[0]} is given twice`));
      expect(twice).toMatchObject({ code: 64, output });
    }
    expect(await balanceOf(ann)).toBe(500);
    expect(await credit('0', 'k')).toMatchObject({
      code: 1,
      output: expect.stringMatching(/^INVALID_ARGUMENT/),
    });
    const elsewhere = await mkdtemp(path.join(tmpdir(), 'fastim-operate-'));
    expect(await credit('5', 'k', { DATA_DIR: elsewhere })).toMatchObject({
      code: 1,
      output: expect.stringContaining('another operator key'),
    });
    await rm(elsewhere, { recursive: true });
  }, 120_000);

  test('say where nobody answers, and what to look at', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { code, output } = await credit('5', 'k', {}, ['--url', url]);
    expect(code).toBe(69);
    expect(output).toContain(`No server answers at ${url} (connect ECONNREFUSED`);
    expect(output).toMatch(/--url, else HOST and PORT.* may this machine reach it\?$/m);
    const wrong = await credit('5', 'k', {}, ['--url', 'chat.example.com']);
    expect(wrong).toMatchObject({ code: 69 });
    expect(wrong.output).toContain('No server answers at chat.example.com');
    const nowhere = path.join(folder, 'nowhere');
    const empty = await run(['ledger:check'], { DATA_DIR: nowhere, PORT: new URL(url).port });
    expect(empty).toMatchObject({ code: 69 });
    expect(empty.output).toContain(`${url}, and there is no data in ${nowhere}`);
    expect(existsSync(nowhere)).toBe(false);
    const page = createServer((_, response) => response.end('<html>'));
    await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
    const { port } = page.address() as AddressInfo;
    const other = await credit('5', 'k', {}, ['--url', `http://127.0.0.1:${port}`]);
    page.close();
    expect(other).toMatchObject({ code: 69 });
    expect(other.output).toContain('is no FastIM server');
  }, 60_000);

  test('show the one gate of a server, and the rules for clients', async () => {
    const list = await run(['gate:list']);
    expect(list).toMatchObject({ code: 0, output: expect.stringContaining('gate-1') });
    const rules = await run(['gate:rules']);
    expect(rules).toMatchObject({
      code: 0,
      output: expect.stringContaining('None were ever set.'),
    });
  }, 60_000);

  test('audit the books, and do both where no server runs', async () => {
    const { code, output } = await run(['ledger:check']);
    expect({ code, output }).toMatchObject({
      code: 0,
      output: expect.stringContaining('issued: 500'),
    });
    await server.stop();
    expect(await credit('70', 'payment-2')).toMatchObject({ code: 0 });
    const alone = await run(['ledger:check']);
    expect(alone).toMatchObject({ code: 0, output: expect.stringContaining('wallets: 570') });
    // Whose books these are stands there, too.
    expect(alone.output).toContain(`this reads the data in ${folder} itself`);
    await server.start();
    expect(await balanceOf(ann)).toBe(570);
  }, 120_000);
});
