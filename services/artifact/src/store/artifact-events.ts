import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { ArtifactEventSchema, ExecutionState } from '@lockstep/contract';
import type { EventLog, EventTransaction } from '@lockstep/storage';
import { formatArtifactName, formatExecutionName, formatJobName, formatVersionName, type CommitEvent, type ExecutionOutcome, type VersionName } from '@lockstep/versions';

/** Everything that can change in the service. */
export type ArtifactChange =
  | Exclude<CommitEvent, { kind: 'OUTPUT_LINKED' }>
  | (Extract<CommitEvent, { kind: 'OUTPUT_LINKED' }> & { /** Type of the version. */ readonly type: string })
  | (VersionName & { readonly kind: 'VERSION_DELETED'; readonly reason: string })
  | { readonly kind: 'EXECUTION_CREATED'; readonly execution: string }
  | { readonly kind: 'EXECUTION_ENDED'; readonly execution: string; readonly outcome: ExecutionOutcome };

type EventInit = NonNullable<MessageInitShape<typeof ArtifactEventSchema>['event']>;

/** Writes a change to the log, in the transaction that makes it, under the resource that it is about. */
export async function logChange(log: EventLog, transaction: EventTransaction, change: ArtifactChange, timeMs: number): Promise<void> {
  const payload = toBinary(ArtifactEventSchema, create(ArtifactEventSchema, { event: toEvent(change) }));
  await log.append(transaction, [{ subject: subjectOf(change), type: change.kind, payload, timeMs }]);
}

function subjectOf(change: ArtifactChange): string {
  switch (change.kind) {
    case 'ARTIFACT_CREATED':
    case 'VERSION_COMMITTED':
    case 'VERSION_DELETED': return formatArtifactName(change.artifact);
    case 'FENCE_ADVANCED': return formatJobName(change.fence.job);
    case 'OUTPUT_LINKED':
    case 'EXECUTION_CREATED':
    case 'EXECUTION_ENDED': return formatExecutionName(change.execution);
  }
}

function toEvent(change: ArtifactChange): EventInit {
  switch (change.kind) {
    case 'ARTIFACT_CREATED': return { case: 'artifactCreated', value: { artifact: formatArtifactName(change.artifact), type: change.type } };
    case 'VERSION_COMMITTED': return { case: 'versionCommitted', value: { version: formatVersionName(change), digest: change.digest } };
    case 'VERSION_DELETED': return { case: 'versionDeleted', value: { version: formatVersionName(change), reason: change.reason } };
    case 'FENCE_ADVANCED':
      return { case: 'fenceAdvanced', value: { fence: { job: formatJobName(change.fence.job), generation: BigInt(change.fence.generation) } } };
    case 'OUTPUT_LINKED':
      return { case: 'outputLinked', value: { execution: formatExecutionName(change.execution), output: { key: change.key, version: formatVersionName(change), type: change.type } } };
    case 'EXECUTION_CREATED': return { case: 'executionCreated', value: { execution: formatExecutionName(change.execution) } };
    case 'EXECUTION_ENDED': return { case: 'executionEnded', value: { execution: formatExecutionName(change.execution), state: ExecutionState[change.outcome] } };
  }
}
