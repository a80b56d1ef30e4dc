/** The exchange thread's end of the member's session: holds the gRPC stream and heartbeats on it. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { MemberCommandSchema, MemberMessageSchema, SessionService, type MemberMessage } from '@lockstep/contract';
import { AsyncQueue, createClient, openChannel, RpcError } from '@lockstep/rpc';
import type { ExchangeThread } from '@lockstep/exchange';
import type { MessagePort } from 'node:worker_threads';
import type { LinkMessage } from './member-link';

const HEARTBEAT_MS = 500;
/** How long the compute thread may take to notice that the generation is over; it may be in a loop without end. */
const END_WITHIN_MS = 3000;
/** Messages that may wait for the coordinator: progress is batched five times a second. */
const OUTGOING_LIMIT = 10_000;

/**
 * Serves the session on a port until the compute thread closes it. When the coordinator ends the generation, the exchange
 * is told too: a compute thread that waits for its peers must not wait for its deadline.
 */
export function runSessionThread(port: MessagePort, exchange: ExchangeThread): void {
  const outgoing = new AsyncQueue<MemberMessage>(OUTGOING_LIMIT, 'the session with the coordinator');
  const post = (message: LinkMessage): void => port.postMessage(message);
  const decode = (bytes: Uint8Array): MemberMessage => fromBinary(MemberMessageSchema, bytes);
  let heartbeat: NodeJS.Timeout | undefined;

  /** The generation is over for this process: whoever waits for peers is told, and nobody goes on as a ghost. */
  const end = (reason: string): void => {
    exchange.abort(reason);
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), END_WITHIN_MS).unref();
  };

  const open = async (coordinator: string, hello: MemberMessage): Promise<void> => {
    const channel = openChannel(coordinator);
    outgoing.push(hello);
    heartbeat = setInterval(() => outgoing.push(create(MemberMessageSchema, { message: { case: 'heartbeat', value: {} } })), HEARTBEAT_MS);
    try {
      for await (const command of createClient(SessionService, channel).join(outgoing)) {
        post({ kind: 'COMMAND', bytes: toBinary(MemberCommandSchema, command) });
        if (command.command.case === 'abort') end(command.command.value.reason);
      }
      post({ kind: 'ENDED', message: 'the coordinator ended the session' });
    } catch (e) {
      const { message } = RpcError.from(e);
      post({ kind: 'ENDED', message });
      end(`the session with the coordinator ended: ${message}`);
    } finally {
      clearInterval(heartbeat);
      channel.close();
      port.close();
    }
  };

  port.on('message', (message: LinkMessage) => {
    switch (message.kind) {
      case 'OPEN':
        void open(message.coordinator, decode(message.bytes));
        break;
      case 'MEMBER_MESSAGE':
        outgoing.push(decode(message.bytes));
        break;
      case 'COMMAND':
      case 'ENDED':
        break;
    }
  });
}
