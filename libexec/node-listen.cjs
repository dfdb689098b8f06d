// Preloaded into Node applications: the first server that wants a port gets the socket that usherd made, descriptor 0.
// The application stays as it is: `app.listen(process.env.PORT)`, Express, Fastify, Koa, ESM or CommonJS.
'use strict';

const net = require('node:net');

const SOCKET = { fd: 0 };
const { listen } = net.Server.prototype;

/** The port that was asked for first; whoever asks for it again (the same name on IPv6) is served by the same socket. */
let takenPort;

/** The port of listen()'s many forms; undefined where a path, a descriptor or a handle is meant. */
function portOf([first]) {
  if (first === undefined || first === null || typeof first === 'function') return '0';
  if (typeof first === 'number' || (typeof first === 'string' && /^\d+$/.test(first))) {
    return String(first);
  }
  const isPort = typeof first === 'object' && first.path === undefined && 'port' in first;
  return isPort ? String(first.port ?? 0) : undefined;
}

net.Server.prototype.listen = function (...args) {
  const port = portOf(args);
  if (port === undefined || (takenPort !== undefined && takenPort !== port)) {
    return Reflect.apply(listen, this, args);
  }
  // Programs print it, or fail without it.
  this.address = () => ({ address: '127.0.0.1', family: 'IPv4', port: Number(port) });
  const callback = args.findLast((argument) => typeof argument === 'function');
  if (takenPort === undefined) {
    takenPort = port;
    return listen.call(this, SOCKET, callback);
  }
  if (callback !== undefined) this.once('listening', callback);
  process.nextTick(() => this.emit('listening'));
  return this;
};
