import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, it, vi } from 'vitest';
import { connectGathering } from '../../src/storage/gathering-socket.ts';

it('gives the writes of one turn to the system at once, in order, and those of the next after', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const { port } = server.address() as AddressInfo;
  const socket = connectGathering({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  const [peer] = await accepted;
  let received = '';
  peer.setEncoding('utf8').on('data', (text: string) => (received += text));
  const many = vi.spyOn(socket, '_writev' as never);
  const one = vi.spyOn(socket, '_write' as never);

  socket.write('a');
  socket.write(Buffer.from('b'));
  await Promise.resolve();
  socket.write('c');
  await vi.waitFor(() => {
    expect(received).toBe('abc');
  });
  expect(many).toHaveBeenCalledTimes(1);
  expect(one).not.toHaveBeenCalled();

  socket.write('d');
  await vi.waitFor(() => {
    expect(received).toBe('abcd');
  });
  socket.destroy();
  peer.destroy();
  server.close();
});
