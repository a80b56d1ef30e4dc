/** Studies on the wire. */
import { create } from '@bufbuild/protobuf';
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Direction, ObjectiveSchema, StudySchema, StudySpecSchema, type Study, type StudySpec } from '@lockstep/contract';
import { isHeld, type TrackedStudy } from '@lockstep/search';
import type { StoredStudy } from '../store/study-store';
import { toSpaceMessage } from './space-proto';

/** A study as it is now: its spec with everything that was filled in, extended or discovered. */
export function toStudyMessage({ study, spec }: StoredStudy): Study {
  return create(StudySchema, {
    name: study.name, spec: currentSpec(study, spec), state: stateOf(study), createTime: timestampFromMs(study.createdMs), enqueued: study.enqueued.length, trials: countsOf(study),
    ...(study.results && { results: study.results }),
  });
}

function currentSpec({ space, objectives, rules }: TrackedStudy, spec: StudySpec): StudySpec {
  const { maxTrials, maxEpochs, maxDurationMs, maxConsecutiveFailures } = rules.limits;
  return create(StudySpecSchema, {
    ...spec,
    space: space.kind === 'KNOWN' ? { case: 'searchSpace', value: toSpaceMessage(space.space) } : spec.space,
    objectives: objectives.map(({ metric, direction }) => create(ObjectiveSchema, { metric, direction: direction === 'MIN' ? Direction.MIN : Direction.MAX })),
    ...(maxTrials !== undefined && { maxTrials }),
    ...(maxEpochs !== undefined && { maxTotalEpochs: BigInt(maxEpochs) }),
    ...(maxDurationMs !== undefined && { maxDuration: durationFromMs(maxDurationMs) }),
    ...(rules.maxParallelTrials !== undefined && { maxParallelTrials: rules.maxParallelTrials }),
    maxRetriesPerTrial: rules.retry.maxRetries, maxConsecutiveFailedTrials: maxConsecutiveFailures, lease: durationFromMs(rules.leaseMs),
  });
}

function stateOf({ state }: TrackedStudy): Study['state'] {
  switch (state.kind) {
    case 'ACTIVE': return { case: 'active', value: { $typeName: 'lockstep.tuner.v1.StudyActive' } };
    case 'STOPPED': return { case: 'stopped', value: { $typeName: 'lockstep.tuner.v1.StudyStopped' } };
    case 'COMPLETED': return { case: 'completed', value: { $typeName: 'lockstep.tuner.v1.StudyCompleted', detail: state.detail } };
    case 'FAILED': return { case: 'failed', value: { $typeName: 'lockstep.tuner.v1.StudyFailed', error: state.error } };
  }
}

function countsOf({ pending, ended }: TrackedStudy): NonNullable<Study['trials']> {
  const running = [...pending.values()].filter(({ state }) => isHeld(state)).length;
  return { $typeName: 'lockstep.tuner.v1.TrialCounts', requested: pending.size - running, running, ...ended };
}
