import type { ArtifactService, BlobUpload, WriteBlobRequest } from '@lockstep/contract';
import { RpcError, type CallContext, type ServiceImplementation } from '@lockstep/rpc';
import { isUploadId, type BlobWriter, type UploadKey } from '@lockstep/storage';
import { blobFaults, isSha256, quote, type BlobRef } from '@lockstep/versions';
import type { BlobKeeper } from '../policy/blob-keeper';
import { ConcurrencyLimit } from '../policy/concurrency-limit';
import type { PolicyContext } from '../policy/policy-context';
import { MessageReader } from './message-reader';
import { RequestCheck } from './request-check';

type Methods = 'findMissingBlobs' | 'writeBlob' | 'queryWriteStatus' | 'readBlob';

/** Bounds of what calls about blobs may hold at a time. */
export interface BlobCallLimits {
  readonly maxWrites: number;
  readonly maxReads: number;
  /** How long a writer may be silent. */
  readonly idleTimeoutMs: number;
}

const MAX_ASKED_BLOBS = 20_000;
const MAX_DATA_BYTES = 4 << 20;

/** Blobs on the wire. */
export function blobServicer({ blobs }: PolicyContext, keeper: BlobKeeper, limits: BlobCallLimits): Pick<ServiceImplementation<typeof ArtifactService>, Methods> {
  const writes = new ConcurrencyLimit(limits.maxWrites, 'uploads');
  const reads = new ConcurrencyLimit(limits.maxReads, 'downloads');

  async function receive(messages: MessageReader<WriteBlobRequest>) {
    const first = await messages.next();
    const upload = readUpload(first?.upload);
    const opened = await keeper.openUpload(upload, readOffset(first));
    if (opened.kind === 'EXISTS') return { committedBytes: BigInt(upload.blob.sizeBytes), complete: true };
    const { writer } = opened;
    try {
      for (let message = first; message; message = await messages.next()) await append(writer, message, message === first);
    } catch (e) {
      // What was written stays: the client can resume.
      await writer.suspend();
      throw e;
    }
    const complete = writer.committedBytes === upload.blob.sizeBytes;
    await (complete ? writer.finish() : writer.suspend());
    return { committedBytes: BigInt(writer.committedBytes), complete };
  }

  return {
    async findMissingBlobs(request) {
      const check = new RequestCheck();
      if (request.blobs.length > MAX_ASKED_BLOBS) check.fault('blobs', `${request.blobs.length} are more than ${MAX_ASKED_BLOBS}: ask in several requests`);
      else for (const [i, blob] of request.blobs.entries()) check.add(blobFaults({ sha256: blob.sha256, sizeBytes: Number(blob.sizeBytes) }, `blobs[${i}]`));
      check.done();
      const { sizes } = await keeper.keep(request.blobs.map((b) => b.sha256));
      const missing = new Map(request.blobs.filter((b) => sizes.get(b.sha256) !== Number(b.sizeBytes)).map((b) => [b.sha256, b]));
      return { missing: [...missing.values()] };
    },

    async writeBlob(requests: AsyncIterable<WriteBlobRequest>, context: CallContext) {
      const leave = writes.enter();
      try {
        return await receive(new MessageReader(requests, { signal: context.signal, idleTimeoutMs: limits.idleTimeoutMs, peer: context.peer }));
      } finally {
        leave();
      }
    },

    async queryWriteStatus(request) {
      const status = await keeper.uploadStatus(readUpload(request.upload));
      return { committedBytes: BigInt(status.committedBytes), complete: status.complete };
    },

    async *readBlob(request) {
      const check = new RequestCheck();
      check.fault('sha256', isSha256(request.sha256) ? undefined : `${quote(request.sha256)} is not a SHA-256 in 64 lower-case hex digits`);
      const offset = check.number('offset', request.offset);
      const limit = check.number('limit', request.limit);
      check.done();
      const leave = reads.enter();
      try {
        const { sizeBytes, pieces } = await blobs.read(request.sha256, { offset, ...(limit > 0 && { limit }) });
        let first = true;
        for await (const data of pieces) {
          yield { data, ...(first && { sizeBytes: BigInt(sizeBytes) }) };
          first = false;
        }
        if (first) yield { sizeBytes: BigInt(sizeBytes) };
      } finally {
        leave();
      }
    },
  };
}

function readUpload(upload: BlobUpload | undefined): UploadKey {
  const check = new RequestCheck();
  const blob: BlobRef = { sha256: upload?.blob?.sha256 ?? '', sizeBytes: Number(upload?.blob?.sizeBytes ?? 0n) };
  const id = upload?.uploadId ?? '';
  if (!isUploadId(id)) check.fault('upload.upload_id', `${quote(id)} is not an upload id: use letters, digits, "_" and "-", at least one and at most 64`);
  check.add(blobFaults(blob, 'upload.blob'));
  check.done();
  return { id, blob };
}

function readOffset(message: WriteBlobRequest | undefined): number {
  const check = new RequestCheck();
  const offset = check.number('offset', message?.offset ?? 0n);
  check.done();
  return offset;
}

async function append(writer: BlobWriter, message: WriteBlobRequest, first: boolean): Promise<void> {
  const check = new RequestCheck();
  if (message.upload && !first) check.fault('upload', 'belongs in the first message of a call only');
  if (message.data.length > MAX_DATA_BYTES) check.fault('data', `${message.data.length} bytes are more than ${MAX_DATA_BYTES}: send them in several messages`);
  check.done();
  if (message.offset !== BigInt(writer.committedBytes)) {
    throw new RpcError('OUT_OF_RANGE', `the next byte of this upload is at ${writer.committedBytes}, the message's data at ${message.offset}`,
      { reason: 'OFFSET_MISMATCH', metadata: { committedBytes: String(writer.committedBytes) } });
  }
  await writer.write(message.data);
}
