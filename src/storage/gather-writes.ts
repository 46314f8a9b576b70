import type { Socket } from 'node:net';

/**
 * Makes all that is written to a socket in one turn leave in one system call: the statements of a phase are many small
 * writes, and each would cost as much as the whole phase.
 * @param socket one that has been told where to connect: that sets `write` back.
 * @returns the socket.
 */
export function gatherWrites(socket: Socket): Socket {
  const write: (...given: never[]) => boolean = socket.write.bind(socket);
  let isGathering = false;
  socket.write = (...given: never[]): boolean => {
    if (!isGathering) {
      isGathering = true;
      socket.cork();
      process.nextTick(() => {
        isGathering = false;
        socket.uncork();
      });
    }
    return write(...given);
  };
  return socket;
}
