import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildGraphiql } from '../../graphiql/build.ts';
import { chromiumPath } from '../support/machine.ts';
import { operatorKeyOf } from '../support/money.ts';
import { post } from '../support/clients.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { GraphiqlWindow } from './graphiql-window.ts';

const executablePath = chromiumPath();

/** As `npm run wallet:credit` does it. */
async function creditWallet(server: TestServer, userId: string, amount: number): Promise<void> {
  const text = 'mutation ($input: CreditWalletInput!) { creditWallet(input: $input) { balance } }';
  const input = { userId, amount, key: 'a key', reason: 'for a test' };
  const { errors } = await post(server, text, { input }, await operatorKeyOf(server));
  expect(errors).toBeUndefined();
}

describe.skipIf(executablePath === null)('GraphiQL in a browser', { timeout: 90_000 }, () => {
  let server: TestServer;
  let browser: Browser;
  let pictures: string;
  const closing: (() => PromiseLike<void>)[] = [];

  beforeAll(async () => {
    await buildGraphiql(fileURLToPath(new URL('../../dist/graphiql', import.meta.url)));
    pictures = await mkdtemp(join(tmpdir(), 'fastim-graphiql-pictures-'));
    server = await startTestServer();
    closing.push(() => server[Symbol.asyncDispose]());
    browser = await chromium.launch({
      executablePath: executablePath!,
      args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
    });
    closing.push(() => browser.close());
  });
  afterAll(async () => {
    for (const close of closing.reverse()) await close();
  });

  it('takes two people in two windows from registration to a live conversation', async () => {
    await using ann = await GraphiqlWindow.open(browser, `${server.url}/graphql`);
    const bob = await ann.another();
    expect(await ann.page.title()).toBe('FastIM');
    expect(await ann.tabs()).toEqual([
      ...['register', 'openDirect', 'sendMessage', 'history', 'inbox'],
      'wallet',
    ]);

    for (const [window, username] of [
      [ann, 'ann'],
      [bob, 'bob'],
    ] as const) {
      await window.setVariables((variables) => {
        Object.assign(variables['input'] as object, { username });
      });
      await window.run('register');
      expect(await window.response()).toMatchObject({
        data: { register: { viewer: { user: { username } } } },
      });
      await window.waitForText(`signed in as ${username}`);
    }

    await ann.openTab('inbox');
    await ann.run();
    await ann.waitForResponse('"InboxHeartbeat"');
    await ann.openTab('history');

    await bob.openTab('openDirect');
    await bob.setVariables((variables) => (variables['username'] = 'ann'));
    await bob.run('findUser');
    const found = (await bob.response()) as { data: { user: { id: string } } };
    await bob.setVariables((variables) => (variables['userId'] = found.data.user.id));
    await bob.run('openDirect');
    const opened = (await bob.response()) as {
      data: { openDirect: { conversation: { id: string } } };
    };
    const { id } = opened.data.openDirect.conversation;
    await bob.openTab('sendMessage');
    await bob.setVariables((variables) => {
      const text = 'Hello from the other window';
      Object.assign(variables['input'] as object, {
        conversationId: id,
        content: { text: { text } },
      });
    });
    await bob.run();
    expect(await bob.response()).toMatchObject({
      data: { sendMessage: { isDuplicate: false, message: { seq: 1 } } },
    });

    // Ann had the inbox open behind another tab all the while.
    await ann.openTab('inbox');
    await ann.waitForResponse('Hello from the other window');
    const inbox = (await ann.response()) as { status: string; events: { data: object }[] };
    expect(inbox.status).toBe('live');
    expect(inbox.events[0]).toMatchObject({
      data: { inbox: { __typename: 'MessageAdded', message: { seq: 1, conversation: { id } } } },
    });
    await ann.page.screenshot({ path: join(pictures, 'inbox.png') });

    await ann.openTab('history');
    await ann.setVariables((variables) => (variables['conversationId'] = id));
    await ann.run();
    expect(JSON.stringify(await ann.response())).toContain('Hello from the other window');

    await ann.openTab('wallet');
    await ann.run('wallet');
    const money = (await ann.response()) as { data: { viewer: { user: { id: string } } } };
    await creditWallet(server, money.data.viewer.user.id, 500);
    await ann.setVariables((variables) => {
      Object.assign(variables['packet'] as object, { conversationId: id, count: 1 });
    });
    await ann.run('sendRedPacket');
    const sent = (await ann.response()) as {
      data: { sendRedPacket: { redPacket: { id: string } } };
    };
    await bob.openTab('wallet');
    const { id: redPacketId } = sent.data.sendRedPacket.redPacket;
    await bob.setVariables((variables) => (variables['redPacketId'] = redPacketId));
    await bob.run('claimRedPacket');
    expect(await bob.response()).toMatchObject({
      data: { claimRedPacket: { status: 'CLAIMED', claim: { amount: 500 } } },
    });
    await bob.run('wallet');
    expect(await bob.response()).toMatchObject({ data: { viewer: { wallet: { balance: 500 } } } });

    await ann.page.getByRole('button', { name: 'sign out' }).click();
    await ann.openTab('inbox');
    await ann.waitForResponse('closed: 4601');
    await ann.run();
    await ann.waitForResponse('UNAUTHENTICATED');

    expect(ann.complaints).toEqual([]);
    expect(ann.otherHosts).toEqual([]);
    console.log(`GraphiQL's pictures: ${pictures}`);
  });

  it('lets the headers pane win, and shows a refused connection', async () => {
    await using window = await GraphiqlWindow.open(browser, `${server.url}/graphql`);
    await window.setVariables((variables) => {
      Object.assign(variables['input'] as object, { username: 'carol' });
    });
    await window.run('register');
    const registered = (await window.response()) as { data: { register: { accessToken: string } } };
    expect(registered).toHaveProperty('data.register.accessToken');
    await window.waitForText('signed in as carol');

    await window.openTab('inbox');
    await window.setHeaders({ Authorization: 'Bearer forged' });
    await window.run();
    await window.waitForResponse('closed: 4401');
    await window.setHeaders({ authorization: `Bearer ${registered.data.register.accessToken}` });
    await window.run();
    await window.waitForResponse('"InboxHeartbeat"');
    await window.run();
    await window.waitForResponse('"stopped"');
    expect(window.openSockets()).toBe(0);
  });
});
