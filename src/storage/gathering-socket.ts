import { connect, type Socket } from 'node:net';

/** Where a database listens. */
export type Place = { readonly host: string; readonly port: number } | { readonly path: string };

/**
 * Begins to connect to a database, by a socket on which all that is written in one turn leaves in one system call: the
 * statements of a phase are many small writes, and each would cost as much as the whole phase.
 */
export function connectGathering(place: Place): Socket {
  const socket = connect(place);
  // An overriding class would not do: connecting puts the class's own `write` back.
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
