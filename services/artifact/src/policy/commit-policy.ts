import {
  decideCommit, decideFence, fenced, formatVersionName, manifestBlobs, manifestDigest, parseVersionName, sha256Of, VersionsError,
  type BlobRef, type CommitCommand, type CommitEvent, type CommitKnowledge, type Fence, type Label, type Manifest, type Sha256,
} from '@lockstep/versions';
import { logChange } from '../store/artifact-events';
import { executionStore } from '../store/execution-store';
import { requestStore } from '../store/request-store';
import { requireKnownVersion, versionStore, type VersionRecord } from '../store/version-store';
import type { BlobKeeper } from './blob-keeper';
import { linkOutput } from './execution-policy';
import type { ArtifactTransaction, PolicyContext } from './policy-context';

/** A request to commit whose fields have been checked. */
export interface CommitRequest {
  readonly artifact: string;
  readonly type: string;
  /** Sorted. */
  readonly labels: readonly Label[];
  readonly manifest: Manifest;
  readonly fence?: Fence;
  readonly output?: { readonly execution: string; readonly key: string };
  readonly requestId?: string;
}

/** Missing blobs that an error names; the client asks FindMissingBlobs for all. */
const NAMED_BLOBS = 5;

/** Makes versions. */
export class CommitPolicy {
  constructor(private readonly context: PolicyContext, private readonly keeper: BlobKeeper) {}

  /** @throws VersionsError FENCED, BLOBS_MISSING, TYPE_MISMATCH, EXECUTION_NOT_FOUND, EXECUTION_ENDED, REQUEST_ID_REUSED; StorageError DISK_FULL, IO */
  async commit(request: CommitRequest): Promise<{ readonly version: VersionRecord; readonly created: boolean }> {
    const blobs = manifestBlobs(request.manifest);
    const kept = await this.keeper.keep(blobs.map((b) => b.sha256));
    const command = commandOf(request);
    return this.context.database.transaction(async (transaction) => {
      const decision = decideCommit(command, await learn(transaction, request, command));
      switch (decision.kind) {
        case 'REFUSED': throw new VersionsError(decision.reason, decision.message, decision.facts);
        case 'COMMIT': requireBlobs(blobs, await this.keeper.stillThere(kept)); break;
        case 'EXISTING': break;
      }
      for (const event of decision.events) await this.apply(transaction, request, event);
      const name = { artifact: request.artifact, number: decision.number };
      if (request.requestId !== undefined) {
        await requestStore.insert(transaction.query, 'CommitVersion', request.requestId, { digest: command.requestDigest, result: formatVersionName(name) }, this.context.now());
      }
      // A retry is answered with its version, also when that was deleted since.
      return { version: await requireKnownVersion(transaction.query, name), created: decision.kind === 'COMMIT' };
    });
  }

  /** @throws VersionsError FENCED for an older generation than the newest */
  async advanceFence(fence: Fence): Promise<void> {
    await this.context.database.transaction(async (transaction) => {
      const decision = decideFence(await versionStore.newestGeneration(transaction.query, fence.job), fence);
      switch (decision.kind) {
        case 'CURRENT': return;
        case 'ADVANCED': return this.applyFence(transaction, fence);
        case 'FENCED': {
          const refusal = fenced(fence, decision.newest);
          throw new VersionsError(refusal.reason, refusal.message, refusal.facts);
        }
      }
    });
  }

  private async apply(transaction: ArtifactTransaction, request: CommitRequest, event: CommitEvent): Promise<void> {
    const createTimeMs = this.context.now();
    switch (event.kind) {
      case 'FENCE_ADVANCED':
        return this.applyFence(transaction, event.fence);
      case 'ARTIFACT_CREATED':
        await versionStore.insertArtifact(transaction.query, { id: event.artifact, type: event.type, createTimeMs });
        return logChange(this.context.events, transaction, event, createTimeMs);
      case 'VERSION_COMMITTED': {
        const { manifest, labels, fence, output } = request;
        await versionStore.insertVersion(transaction.query, {
          artifact: event.artifact, number: event.number, digest: event.digest, manifest, labels, createTimeMs,
          ...(fence && { fence }), ...(output && { execution: output.execution }),
        });
        return logChange(this.context.events, transaction, event, createTimeMs);
      }
      case 'OUTPUT_LINKED':
        return linkOutput(this.context, transaction, event.execution, { key: event.key, version: { artifact: event.artifact, number: event.number } });
    }
  }

  private async applyFence(transaction: ArtifactTransaction, fence: Fence): Promise<void> {
    await versionStore.advanceFence(transaction.query, fence);
    await logChange(this.context.events, transaction, { kind: 'FENCE_ADVANCED', fence }, this.context.now());
  }
}

function requireBlobs(blobs: readonly BlobRef[], sizes: ReadonlyMap<Sha256, number>): void {
  const missing = blobs.filter((b) => sizes.get(b.sha256) !== b.sizeBytes);
  const [first] = missing;
  if (!first) return;
  const named = missing.slice(0, NAMED_BLOBS).map((b) => `${b.sha256} (${b.sizeBytes} bytes)`).join(', ');
  const others = missing.length > NAMED_BLOBS ? ', ...' : '';
  throw new VersionsError('BLOBS_MISSING',
    `${missing.length} of ${blobs.length} blobs of the manifest are not there with their size: ${named}${others}. Write them with WriteBlob, then commit again`,
    { missing: String(missing.length), sha256: first.sha256 });
}

async function learn({ query }: ArtifactTransaction, { requestId, fence, output }: CommitRequest, { artifact, digest }: CommitCommand): Promise<CommitKnowledge> {
  const before = requestId === undefined ? undefined : await requestStore.find(query, 'CommitVersion', requestId);
  const made = before && parseVersionName(before.result);
  const known = await versionStore.findArtifact(query, artifact);
  const sameContent = await versionStore.findByDigest(query, artifact, digest);
  const newestGeneration = fence && await versionStore.newestGeneration(query, fence.job);
  const execution = output && await executionStore.findState(query, output.execution);
  return {
    ...(before && made && { sameRequest: { requestDigest: before.digest, ...made } }),
    ...(known && { artifact: { type: known.type, latest: known.lastNumber } }),
    ...(sameContent !== undefined && { sameContent }),
    ...(newestGeneration !== undefined && { newestGeneration }),
    ...(execution && { execution }),
  };
}

function commandOf(request: CommitRequest): CommitCommand {
  const { artifact, type, labels, manifest, fence, output } = request;
  const digest = manifestDigest(manifest);
  const requestDigest = sha256Of(JSON.stringify([
    artifact, type, labels.map((l) => [l.key, l.value]), digest, fence ? [fence.job, fence.generation] : null, output ? [output.execution, output.key] : null,
  ]));
  return { artifact, type, digest, requestDigest, ...(fence && { fence }), ...(output && { output }) };
}
