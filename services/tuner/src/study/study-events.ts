/** What watchers are told of a move. */
import { create } from '@bufbuild/protobuf';
import { TrialEnqueuedSchema, TrialMeasuredSchema } from '@lockstep/contract';
import { trialName, type StudyChange } from '@lockstep/search';
import { toStudyMessage } from '../convert/study-proto';
import { toMeasurementMessage, toTrialMessage } from '../convert/trial-proto';
import { toParameterValues } from '../convert/value-proto';
import type { NewStudyEvent, StoredStudy } from '../store/study-store';

/** The events of changes, in their order. @param stored the study after all of them */
export function studyEvents(stored: StoredStudy, changes: readonly StudyChange[]): readonly NewStudyEvent[] {
  const { study } = stored;
  const lastTold = changes.findLastIndex((change) => change.kind === 'STUDY' && change.told);
  return changes.flatMap((change, i): readonly NewStudyEvent[] => {
    switch (change.kind) {
      // The study is told as it is after the last of its changes, once.
      case 'STUDY': return i === lastTold ? [{ case: 'updated', value: toStudyMessage(stored) }] : [];
      case 'TRIAL': return [{ case: 'trialChanged', value: toTrialMessage(study, change.trial) }];
      case 'MEASURED': return [{ case: 'trialMeasured', value: create(TrialMeasuredSchema, { trial: trialName(study, change.number), measurement: toMeasurementMessage(change.measurement) }) }];
      case 'ENQUEUED': return [{ case: 'trialEnqueued', value: create(TrialEnqueuedSchema, { values: toParameterValues(study.space.kind === 'KNOWN' ? study.space.space : [], change.values) }) }];
    }
  });
}
