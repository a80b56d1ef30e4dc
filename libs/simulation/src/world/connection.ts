/**
 * Connections between processes: messages arrive in order, once, or the connection breaks and both ends hear of it.
 *
 * 1. The end of a process is told to its peers by its machine, unless the machine is gone too.
 * 2. What nothing passes through for KEEPALIVE_MS is broken, as gRPC's keepalive does it.
 */
import type { Network } from './network';
import type { SimProcess } from './sim-process';

/** gRPC's keepalive as the services set it: a ping after 20 s, an answer within 10 s. */
const KEEPALIVE_MS = 30_000;
const CONNECT_TIMEOUT_MS = 5000;

/** One end of a connection. */
export class End<In, Out> {
  onMessage: (message: In) => void = () => undefined;
  /** The peer is gone, or has closed. Not called for an end that closed itself. */
  onClosed: (why: string) => void = () => undefined;
  private openNow = true;
  /** In the order in which it was sent. */
  private readonly onTheWay: ((peer: End<Out, In>) => void)[] = [];
  private peer: End<Out, In> | undefined;
  private unwatch: () => void = () => undefined;

  constructor(
    private readonly network: Network,
    readonly process: SimProcess,
    readonly peerProcess: SimProcess,
  ) {}

  static pair<Up, Down>(network: Network, client: SimProcess, server: SimProcess): readonly [End<Down, Up>, End<Up, Down>] {
    const a = new End<Down, Up>(network, client, server);
    const b = new End<Up, Down>(network, server, client);
    a.peer = b;
    b.peer = a;
    a.watch();
    b.watch();
    return [a, b];
  }

  get open(): boolean {
    return this.openNow;
  }

  send(message: Out): void {
    if (!this.openNow) return;
    this.carry((peer) => peer.process.run(() => {
      if (peer.openNow) peer.onMessage(message);
    }));
  }

  /** Ends it after what was sent; the peer is told why. */
  close(why: string): void {
    if (!this.openNow) return;
    this.end();
    this.carry((peer) => peer.closed(why));
  }

  /** Breaks it: nothing more arrives, and both ends are told. */
  break(why: string): void {
    this.closed(why);
    this.peer?.closed(why);
  }

  private closed(why: string): void {
    if (!this.openNow) return;
    this.end();
    this.process.run(() => this.onClosed(why));
  }

  private end(): void {
    this.openNow = false;
    this.unwatch();
  }

  private carry(arrive: (peer: End<Out, In>) => void): void {
    const { peer } = this;
    if (!peer) return;
    this.onTheWay.push(arrive);
    // What was held up keeps its place before what was sent later.
    this.network.carry(this.process.host, peer.process.host, () => this.onTheWay.shift()?.(peer));
  }

  private watch(): void {
    const { network, process, peerProcess } = this;
    process.onDeath((death) => {
      if (!this.openNow) return;
      this.end();
      if (death === 'PROCESS') this.carry((peer) => peer.closed(`${process.name} is gone`));
      else network.time.after(KEEPALIVE_MS, () => this.peer?.closed(`${process.name} does not answer`));
    });
    this.unwatch = network.watch(process.host, peerProcess.host, (event) => {
      if (event === 'RESET') this.break('the connection was reset');
      else network.time.after(KEEPALIVE_MS, () => this.checkAlive());
    });
  }

  private checkAlive(): void {
    const { network, process, peerProcess } = this;
    const sinceMs = network.closedSinceMs(process.host, peerProcess.host);
    if (sinceMs !== undefined && network.time.nowMs - sinceMs >= KEEPALIVE_MS - 1) this.break('the keepalive was not answered');
  }
}

/** Where a process takes connections. */
export class Port<Up, Down> {
  private listener: { readonly process: SimProcess; readonly accept: (end: End<Up, Down>) => void } | undefined;

  constructor(private readonly network: Network) {}

  /** Takes connections from now on, instead of whoever did before. */
  listen(process: SimProcess, accept: (end: End<Up, Down>) => void): void {
    this.listener = { process, accept };
  }

  /** @param failed called once when nobody answers */
  dial(client: SimProcess, opened: (end: End<Down, Up>) => void, failed: (why: string) => void): void {
    const { listener, network } = this;
    if (!listener || !listener.process.alive) {
      client.after(1, () => failed('nobody listens there'));
      return;
    }
    const { process } = listener;
    let answered = false;
    client.after(CONNECT_TIMEOUT_MS, () => {
      if (answered) return;
      answered = true;
      failed(`no answer within ${CONNECT_TIMEOUT_MS} ms`);
    });
    network.carry(client.host, process.host, () => {
      if (!process.alive || !client.alive || answered) return;
      const [near, far] = End.pair<Up, Down>(network, client, process);
      process.run(() => {
        if (far.open) listener.accept(far);
      });
      network.carry(process.host, client.host, () => client.run(() => {
        if (answered || !near.open) {
          near.close('given up');
          if (!answered) failed('it was closed at once');
          answered = true;
          return;
        }
        answered = true;
        opened(near);
      }));
    });
  }
}
