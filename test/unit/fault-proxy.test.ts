import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FaultProxy } from '../support/fault-proxy.ts';

describe('a link that can be spoilt', () => {
  let echo: Server;
  let proxy: FaultProxy;
  let heard: string;

  beforeEach(async () => {
    heard = '';
    echo = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (data) => {
        heard += data.toString();
        socket.write(data);
      });
    });
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
    proxy = await FaultProxy.start((echo.address() as AddressInfo).port);
  });

  afterEach(async () => {
    await proxy[Symbol.asyncDispose]();
    await new Promise((resolve) => echo.close(resolve));
  });

  async function dial(): Promise<{ socket: Socket; text: () => string; closed: Promise<unknown> }> {
    const socket = connect(proxy.port, '127.0.0.1');
    let text = '';
    socket.on('error', () => undefined).on('data', (data) => (text += data.toString()));
    const closed = once(socket, 'close');
    await once(socket, 'connect');
    return { socket, text: () => text, closed };
  }

  it('passes on what is said, both ways', async () => {
    const { socket, text } = await dial();
    socket.write('hello');
    await expect.poll(text).toBe('hello');
    socket.destroy();
  });

  it('cuts what stands and what comes, until it is healed', async () => {
    const before = await dial();
    proxy.cut();
    await before.closed;
    await (
      await dial()
    ).closed;
    proxy.heal();
    const { socket, text } = await dial();
    socket.write('again');
    await expect.poll(text).toBe('again');
    socket.destroy();
  });

  it('swallows where it is half-open, and ends what it tore', async () => {
    const before = await dial();
    proxy.silence();
    const during = await dial();
    before.socket.write('lost');
    during.socket.write('lost too');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([heard, before.text(), during.text()]).toEqual(['', '', '']);
    expect([before.socket.destroyed, during.socket.destroyed]).toEqual([false, false]);
    proxy.heal();
    await Promise.all([before.closed, during.closed]);
  });

  it('keeps the order of what it delays', async () => {
    const { socket, text } = await dial();
    proxy.delay(80);
    const beganMs = Date.now();
    for (const part of ['a', 'b', 'c']) {
      socket.write(part);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    proxy.delay(0);
    socket.write('d');
    await expect.poll(text).toBe('abcd');
    // There and back.
    expect(Date.now() - beganMs).toBeGreaterThanOrEqual(80);
    socket.destroy();
  });

  it.each([
    ['after', true, 'xPUBLISH'],
    ['instead of', false, 'x'],
  ])('cuts %s what it waits for', async (_when, passes, arrived) => {
    const { socket, closed } = await dial();
    socket.write('x');
    await expect.poll(() => heard).toBe('x');
    const sprung = proxy.cutAt('PUBLISH', 'up', { passes });
    socket.write('PUBLISH');
    await Promise.all([sprung, closed]);
    await expect.poll(() => heard).toBe(arrived);
  });
});
