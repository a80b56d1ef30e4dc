import type { ArtifactService, WriteBlobRequestSchema } from '@lockstep/contract';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { RpcError, type ServiceClient } from '@lockstep/rpc';
import { randomUUID } from 'node:crypto';
import type { BlobLocation } from './cut-files';
import { withRetry, type RetryPolicy } from './retry';
import { TransferError } from './transfer-error';

/** Bytes of a message. */
const MESSAGE_BYTES = 512 << 10;
/** Deadline of one call to WriteBlob: 4 MiB, or what a foreign client has cut larger, over a slow line. */
export const BLOB_TIMEOUT_MS = 120_000;

/**
 * Uploads a blob; after a break it goes on where the service stands.
 *
 * @param onBytes told how many bytes were handed to the wire, each byte once
 * @throws TransferError FILE_CHANGED when the file has other bytes than when it was hashed; RpcError
 */
export async function uploadBlob(
  client: ServiceClient<typeof ArtifactService>, location: BlobLocation, retry: RetryPolicy, signal: AbortSignal | undefined, onBytes: (bytes: number) => void,
): Promise<void> {
  const { blob, file } = location;
  const upload = { uploadId: randomUUID(), blob: { sha256: blob.sha256, sizeBytes: BigInt(blob.sizeBytes) } };
  const options = { ...(signal && { signal }) };
  let reported = 0;
  const report = (upTo: number): void => {
    if (upTo > reported) onBytes(upTo - reported);
    reported = Math.max(reported, upTo);
  };
  try {
    await withRetry(retry, signal, async (attempt) => {
      const before = attempt === 0 ? { complete: false, committedBytes: 0n } : await client.queryWriteStatus({ upload }, options);
      if (before.complete) return;
      const { complete, committedBytes } = await client.writeBlob(messages(location, upload, Number(before.committedBytes), report), { ...options, timeoutMs: BLOB_TIMEOUT_MS });
      if (!complete) throw new RpcError('UNAVAILABLE', `the upload of blob ${blob.sha256} ended at byte ${committedBytes} of ${blob.sizeBytes}`);
    });
  } catch (e) {
    if (e instanceof RpcError && e.details.reason === 'DIGEST_MISMATCH') {
      throw new TransferError('FILE_CHANGED', `${file.path} has other bytes than when it was hashed: put it again when nobody writes to it`, { cause: e });
    }
    throw e;
  }
  report(blob.sizeBytes);
}

async function* messages(
  { blob, file, offset: base }: BlobLocation, upload: MessageInitShape<typeof WriteBlobRequestSchema>['upload'], from: number, report: (upTo: number) => void,
): AsyncGenerator<MessageInitShape<typeof WriteBlobRequestSchema>> {
  const reader = await file.open();
  try {
    for (let at = from; at < blob.sizeBytes || at === from;) {
      const data = await reader.read(base + at, Math.min(MESSAGE_BYTES, blob.sizeBytes - at));
      yield { ...(at === from && upload && { upload }), offset: BigInt(at), data };
      at += data.length;
      report(at);
      if (data.length === 0) return;
    }
  } finally {
    await reader.close();
  }
}
