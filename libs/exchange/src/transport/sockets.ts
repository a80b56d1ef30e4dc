import net from 'node:net';

/** Where a socket reads to. */
export interface SocketReads {
  /** Where the network puts what it reads next. */
  next(): Uint8Array;
  /** It has put `bytes` at the start of what next() gave. */
  read(target: Uint8Array, bytes: number): void;
}

/** Makes and accepts the connections of the exchange. */
export interface Sockets {
  /** Connects without waiting: what is written before goes out then; failures come as the socket's 'error'. */
  dial(host: string, port: number, reads: SocketReads): net.Socket;
  /** A server that does not listen yet. */
  acceptor(onSocket: (socket: net.Socket) => void): net.Server;
}

/** A network that drops what is sent to it would keep a connection waiting for minutes. */
const CONNECT_TIMEOUT_MS = 2000;

/** Plain TCP. */
export const TCP_SOCKETS: Sockets = {
  dial: (host, port, reads) => {
    const socket = net.connect({
      host, port, noDelay: true,
      onread: {
        buffer: () => reads.next(),
        callback: (bytes, target) => {
          reads.read(target, bytes);
          return true;
        },
      },
    });
    const timer = setTimeout(() => socket.destroy(new Error(`no answer within ${CONNECT_TIMEOUT_MS} ms`)), CONNECT_TIMEOUT_MS);
    const settled = (): void => clearTimeout(timer);
    socket.once('connect', settled);
    socket.once('close', settled);
    return socket;
  },
  acceptor: (onSocket) => net.createServer({ noDelay: true }, onSocket),
};

/** @throws RangeError for what is not host:port; an IPv6 address stands in brackets */
export function parseAddress(address: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(address) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || port === undefined || Number(port) > 65_535) throw new RangeError(`"${address}" is no host:port`);
  return { host, port: Number(port) };
}
