import { ArtifactService, type WriteBlobRequestSchema } from '@lockstep/contract';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { createClient, createLogger, openChannel, RpcError, type Channel, type ServiceClient } from '@lockstep/rpc';
import { temporaryFolder } from '@lockstep/storage/testing';
import { sha256Of } from '@lockstep/versions';
import { startArtifactService, type ArtifactServiceOptions } from '../artifact-service';

/** A service in this process, with a raw client of it. */
export interface Served {
  readonly folder: string;
  readonly channel: Channel;
  readonly client: ServiceClient<typeof ArtifactService>;
  stop(): Promise<void>;
}

/** Serves a data folder, a fresh one by default, on a port that the system chooses. */
export async function serve(options: Partial<ArtifactServiceOptions> = {}): Promise<Served> {
  const folder = options.folder ?? temporaryFolder();
  const { server, close } = await startArtifactService({ listen: '127.0.0.1:0', logger: createLogger('artifact-test', 'silent'), ...options, folder });
  const channel = openChannel(server.address);
  return {
    folder, channel, client: createClient(ArtifactService, channel),
    stop: async () => {
      channel.close();
      await server.drain(2000);
      await close();
    },
  };
}

type Upload = MessageInitShape<typeof WriteBlobRequestSchema>;

/** A client stream of some messages. */
export async function* streamOf(...messages: Upload[]): AsyncGenerator<Upload> {
  for (const message of messages) yield await Promise.resolve(message);
}

/** The reference to some bytes, as the wire has it. */
export const refOf = (bytes: Uint8Array) => ({ sha256: sha256Of(bytes), sizeBytes: BigInt(bytes.length) });

/** Writes a blob in one message. */
export async function writeBlob({ client }: Served, bytes: Uint8Array, uploadId = 'u'): Promise<void> {
  const reply = await client.writeBlob(streamOf({ upload: { uploadId, blob: refOf(bytes) }, data: bytes }));
  if (!reply.complete) throw new Error('the blob is not complete');
}

/** Reads a blob, or a part of it. */
export async function readBlob({ client }: Served, sha256: string, offset = 0n, limit = 0n): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const { data } of client.readBlob({ sha256, offset, limit })) pieces.push(data);
  return Buffer.concat(pieces);
}

/** An entry of one blob. */
export const entryOf = (path: string, bytes: Uint8Array) => ({ path, sizeBytes: BigInt(bytes.length), blobs: [refOf(bytes)] });

/** The error of a call. */
export async function failure(call: Promise<unknown>): Promise<RpcError> {
  try {
    await call;
  } catch (e) {
    return RpcError.from(e);
  }
  throw new Error('the call succeeded');
}
