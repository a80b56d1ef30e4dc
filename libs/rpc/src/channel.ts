import net from 'node:net';
import { Client, credentials, type ChannelOptions } from '@grpc/grpc-js';
import { DEFAULT_MAX_MESSAGE_BYTES } from './limits';

/** A connection to one service, shared by the typed clients made on it. */
export interface Channel {
  readonly address: string;
  readonly client: Client;
  close(): void;
}

export interface ChannelSettings {
  readonly maxMessageBytes?: number;
  /** Receive window for long server streams; grpc-js applies it on the client's side only. */
  readonly flowControlWindowBytes?: number;
}

/**
 * What gRPC dials for an address, or for several that stand by for one another: the first that answers is used.
 *
 * @throws RangeError for several that are not all IP addresses
 */
export function dialTarget(address: string): string {
  const parts = address.split(',').map((part) => part.trim());
  if (parts.length === 1) return address;
  for (const part of parts) {
    if (net.isIPv4(part.slice(0, part.lastIndexOf(':')))) continue;
    throw new RangeError(`"${part}" in "${address}": several addresses must be IPv4:PORT each. Use one DNS name with several addresses, or IP addresses`);
  }
  return `ipv4:${parts.join(',')}`;
}

/**
 * Opens a channel; it connects at the first call.
 *
 * @param address host:port, or several ip:port with commas between them
 */
export function openChannel(address: string, settings: ChannelSettings = {}): Channel {
  const max = settings.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES;
  const options: ChannelOptions = {
    'grpc.max_receive_message_length': max,
    'grpc.max_send_message_length': max,
    'grpc.enable_retries': 0,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 2000,
    'grpc.keepalive_time_ms': 20_000,
    'grpc.keepalive_timeout_ms': 10_000,
    ...(settings.flowControlWindowBytes !== undefined && { 'grpc-node.flow_control_window': settings.flowControlWindowBytes }),
  };
  const client = new Client(dialTarget(address), credentials.createInsecure(), options);
  return { address, client, close: () => client.close() };
}
