import { create } from '@bufbuild/protobuf';
import { JobResultSchema } from '@lockstep/contract';
import { madeBy } from './made-by';

test('a model and its digest, a trial its checkpoint, a discovery nothing', () => {
  const model = create(JobResultSchema, { model: 'artifacts/m/versions/1', modelDigest: 'abc' });
  const trial = create(JobResultSchema, { tuner: { case: 'trial', value: { checkpoint: 'artifacts/t/versions/2' } } });
  const discovery = create(JobResultSchema, { tuner: { case: 'discovery', value: { algorithm: 'Hyperband' } } });
  expect([model, trial, discovery].map(madeBy)).toEqual([
    [{ what: 'model', name: 'artifacts/m/versions/1' }, { what: 'digest', name: 'abc' }], [{ what: 'checkpoint', name: 'artifacts/t/versions/2' }], [],
  ]);
});
