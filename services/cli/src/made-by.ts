import type { JobResult } from '@lockstep/contract';

/** What a job has published, by the word for it: a model with its digest, the checkpoint of a trial, or, of a discovery, nothing. */
export function madeBy({ model, modelDigest, tuner }: JobResult): readonly { readonly what: 'model' | 'digest' | 'checkpoint'; readonly name: string }[] {
  if (tuner.case === 'trial' && tuner.value.checkpoint !== '') return [{ what: 'checkpoint', name: tuner.value.checkpoint }];
  return model === '' ? [] : [{ what: 'model', name: model }, { what: 'digest', name: modelDigest }];
}
