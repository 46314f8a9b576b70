// Loaded before a node of the chaos cluster: what it dials at one port it gets at another. All nodes must name the same
// Redis, and each has a link of its own to it.
import net from 'node:net';

const [from, to] = (process.env.REDIRECT_PORT ?? '').split(':').map(Number);
const { connect } = net.Socket.prototype;

net.Socket.prototype.connect = function (...args) {
  const list = Array.isArray(args[0]) ? args[0] : args;
  const [options] = list;
  if (typeof options === 'object' && options !== null && Number(options.port) === from) {
    list[0] = { ...options, port: to };
  }
  return connect.apply(this, args);
};
