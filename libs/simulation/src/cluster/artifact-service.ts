/** The artifact service: versions by content, fences by generation. Its rules are libs/versions' own. */
import { decideCommit, decideFence, type CommitCommand, type Fence } from '@lockstep/versions';
import type { SimProcess } from '../world/sim-process';
import type { Random } from '../world/random';
import type { UnaryService } from '../world/unary-service';

export type ArtifactRequest =
  | { readonly kind: 'COMMIT'; readonly artifact: string; readonly digest: string; readonly content: Uint8Array; readonly fence: Fence; readonly requestId: string }
  | { readonly kind: 'ADVANCE_FENCE'; readonly fence: Fence }
  | { readonly kind: 'READ'; readonly version: string }
  | { readonly kind: 'DELETE'; readonly version: string };

export type ArtifactAnswer =
  | { readonly kind: 'VERSION'; readonly version: string }
  | { readonly kind: 'CONTENT'; readonly content: Uint8Array }
  | { readonly kind: 'DONE' }
  | { readonly kind: 'REFUSED'; readonly reason: string; readonly message: string };

export interface StoredVersion {
  readonly version: string;
  readonly artifact: string;
  readonly digest: string;
  readonly content: Uint8Array;
  readonly generation: number;
  /** Newest generation that the service knew when the version was committed. */
  readonly newestGeneration: number;
}

export class ArtifactService {
  /** What lies on its disk: it survives the process. */
  readonly versions: StoredVersion[] = [];
  private readonly deleted = new Set<string>();
  private readonly requests = new Map<string, { readonly requestDigest: string; readonly artifact: string; readonly number: number }>();
  private newest = 0;
  /** Share of requests that fail before anything is done, while its disk errs. */
  errorChance = 0;
  /** Added to every request while its disk is slow. */
  slownessMs = 0;

  constructor(
    private readonly random: Random,
    private readonly latencyMs: number,
    /** Only a planted bug takes commits of older generations. */
    private readonly fences: boolean,
  ) {}

  /** Requests that fail with UNAVAILABLE are asked again by whoever calls. */
  serve(process: SimProcess, service: UnaryService<ArtifactRequest, ArtifactAnswer>): void {
    service.serve(process, (request, settled) => {
      process.after(this.latencyMs * (0.5 + this.random.unit()) + this.slownessMs * this.random.unit(), () => {
        settled(this.errorChance > 0 && this.random.chance(this.errorChance) ? { kind: 'UNAVAILABLE', why: 'the disk failed' } : { kind: 'ANSWERED', answer: this.carryOut(request) });
      });
    });
  }

  private carryOut(request: ArtifactRequest): ArtifactAnswer {
    switch (request.kind) {
      case 'ADVANCE_FENCE': {
        const decision = decideFence(this.newest === 0 ? undefined : this.newest, request.fence);
        if (decision.kind === 'FENCED') return { kind: 'REFUSED', reason: 'FENCED', message: `generation ${decision.newest} is the newest` };
        this.newest = request.fence.generation;
        return { kind: 'DONE' };
      }
      case 'READ': {
        const found = this.deleted.has(request.version) ? undefined : this.versions.find(({ version }) => version === request.version);
        return found ? { kind: 'CONTENT', content: found.content } : { kind: 'REFUSED', reason: 'VERSION_NOT_FOUND', message: `${request.version} does not exist` };
      }
      case 'DELETE':
        this.deleted.add(request.version);
        return { kind: 'DONE' };
      case 'COMMIT':
        return this.commit(request);
    }
  }

  private commit({ artifact, digest, content, fence, requestId }: Extract<ArtifactRequest, { kind: 'COMMIT' }>): ArtifactAnswer {
    const existing = this.versions.filter((one) => one.artifact === artifact);
    const same = existing.findIndex((one) => one.digest === digest && !this.deleted.has(one.version));
    const known = this.requests.get(requestId);
    const command: CommitCommand = { artifact, type: 'Any', digest, requestDigest: digest, ...(this.fences && { fence }) };
    const decision = decideCommit(command, {
      ...(existing.length > 0 && { artifact: { type: 'Any', latest: existing.length } }),
      ...(same >= 0 && { sameContent: same + 1 }),
      ...(known && { sameRequest: known }),
      ...(this.newest > 0 && { newestGeneration: this.newest }),
    });
    if (decision.kind === 'REFUSED') return { kind: 'REFUSED', reason: decision.reason, message: decision.message };
    const version = `${artifact}/versions/${decision.number}`;
    const newestGeneration = this.newest;
    for (const event of decision.events) if (event.kind === 'FENCE_ADVANCED') this.newest = event.fence.generation;
    if (decision.kind === 'COMMIT') this.versions.push({ version, artifact, digest, content, generation: fence.generation, newestGeneration });
    this.requests.set(requestId, { requestDigest: digest, artifact, number: decision.number });
    return { kind: 'VERSION', version };
  }
}
