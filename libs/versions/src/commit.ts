/**
 * What committing a version means, as a pure function of the command and what is known.
 *
 * 1. Numbers are dense: a new version's is the artifact's newest plus one, and only COMMIT makes one.
 * 2. The same files under the same artifact are the same version, whether or not newer ones exist.
 * 3. A retry (same request id, same request) is answered with its version before anything else is asked: it is a fact
 *    already, also when the sender has been fenced since. It changes nothing.
 * 4. Any other commit under a fence that is not the newest generation's is refused, also of content that exists.
 */
import type { ExecutionState } from './execution';
import { decideFence, type Fence } from './fence';
import type { Sha256 } from './sha256';
import type { VersionsErrorReason } from './versions-error';

/** What a caller wants to commit. The manifest itself is known by its digest here. */
export interface CommitCommand {
  /** Id of the artifact. */
  readonly artifact: string;
  readonly type: string;
  /** Digest of the manifest. */
  readonly digest: Sha256;
  readonly fence?: Fence;
  /** Id of the execution that the version becomes an output of, and its role there. */
  readonly output?: { readonly execution: string; readonly key: string };
  /** SHA-256 of everything in the request but its id. */
  readonly requestDigest: Sha256;
}

/** What is known when the decision is made; reading it, deciding and writing happen in one transaction. */
export interface CommitKnowledge {
  /** Absent when the artifact has no version yet. */
  readonly artifact?: { readonly type: string; readonly latest: number };
  /** Number of the artifact's version with the command's digest. */
  readonly sameContent?: number;
  /** What a request with the command's request id did before. */
  readonly sameRequest?: { readonly requestDigest: Sha256; readonly artifact: string; readonly number: number };
  /** Newest generation of the fence's job that was seen. */
  readonly newestGeneration?: number;
  /** Absent when it does not exist. */
  readonly execution?: ExecutionState;
}

/** What must be written, in this order. */
export type CommitEvent =
  | { readonly kind: 'FENCE_ADVANCED'; readonly fence: Fence }
  | { readonly kind: 'ARTIFACT_CREATED'; readonly artifact: string; readonly type: string }
  | { readonly kind: 'VERSION_COMMITTED'; readonly artifact: string; readonly number: number; readonly digest: Sha256 }
  /** Linking the same version in the same role again changes nothing. */
  | { readonly kind: 'OUTPUT_LINKED'; readonly execution: string; readonly key: string; readonly artifact: string; readonly number: number };

export type CommitDecision =
  | { readonly kind: 'COMMIT'; readonly number: number; readonly events: readonly CommitEvent[] }
  /** The version is there. Events are what is new around it: an output link, a fence. */
  | { readonly kind: 'EXISTING'; readonly number: number; readonly events: readonly CommitEvent[] }
  | { readonly kind: 'REFUSED'; readonly reason: VersionsErrorReason; readonly message: string; readonly facts: Readonly<Record<string, string>> };

export function decideCommit(command: CommitCommand, known: CommitKnowledge): CommitDecision {
  const { artifact, type, digest, fence, output } = command;
  if (known.sameRequest) return answerRetry(command, known.sameRequest);

  const events: CommitEvent[] = [];
  if (fence) {
    const decision = decideFence(known.newestGeneration, fence);
    switch (decision.kind) {
      case 'FENCED': return fenced(fence, decision.newest);
      case 'ADVANCED': events.push({ kind: 'FENCE_ADVANCED', fence }); break;
      case 'CURRENT': break;
    }
  }
  if (known.artifact && known.artifact.type !== type) {
    return refused('TYPE_MISMATCH', `artifact ${artifact} is of type ${known.artifact.type}, not ${type}: commit under another name, or with its type`, { resource: `artifacts/${artifact}` });
  }
  if (output) {
    const resource = `executions/${output.execution}`;
    if (!known.execution) return refused('EXECUTION_NOT_FOUND', `execution ${output.execution} does not exist: create it before committing its outputs`, { resource });
    if (known.execution.kind !== 'RUNNING') {
      return refused('EXECUTION_ENDED', `execution ${output.execution} has ended as ${known.execution.kind}: it has no further outputs`, { resource });
    }
  }
  const number = known.sameContent ?? (known.artifact?.latest ?? 0) + 1;
  if (known.sameContent === undefined) {
    if (!known.artifact) events.push({ kind: 'ARTIFACT_CREATED', artifact, type });
    events.push({ kind: 'VERSION_COMMITTED', artifact, number, digest });
  }
  if (output) events.push({ kind: 'OUTPUT_LINKED', ...output, artifact, number });
  return { kind: known.sameContent === undefined ? 'COMMIT' : 'EXISTING', number, events };
}

function answerRetry(command: CommitCommand, before: NonNullable<CommitKnowledge['sameRequest']>): CommitDecision {
  if (before.requestDigest === command.requestDigest) return { kind: 'EXISTING', number: before.number, events: [] };
  const made = `artifacts/${before.artifact}/versions/${before.number}`;
  return refused('REQUEST_ID_REUSED', `the request id belongs to another request, which made ${made}: choose a new id for every request`, { resource: made });
}

const refused = (reason: VersionsErrorReason, message: string, facts: Readonly<Record<string, string>>): CommitDecision =>
  ({ kind: 'REFUSED', reason, message, facts });

/** The refusal of an old generation, in the same words for commits and announcements. */
export function fenced(fence: Fence, newest: number): Extract<CommitDecision, { kind: 'REFUSED' }> {
  return {
    kind: 'REFUSED', reason: 'FENCED',
    message: `generation ${fence.generation} of job ${fence.job} is over: generation ${newest} has taken its place. What it computed is not lost to the job; stop`,
    facts: { resource: `jobs/${fence.job}`, generation: String(fence.generation), newestGeneration: String(newest) },
  };
}
