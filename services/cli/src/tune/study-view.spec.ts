import { Writable } from 'node:stream';
import { Output } from '../output';
import { StudyView } from './study-view';
import { changed, event, measured, running, study, succeeded, trial, valuesOf } from './testing/study-messages';

function viewed(json: boolean): { readonly view: StudyView; readonly text: () => string } {
  let text = '';
  const stream = new Writable({ decodeStrings: false, write: (chunk: string, _encoding, done) => { text += chunk; done(); } }) as unknown as NodeJS.WriteStream;
  return { view: new StudyView(new Output(json, stream, stream), () => 0), text: () => text };
}

const RUNG = { iteration: 0, bracket: 1, round: 1, initialEpoch: 3, epochs: 9, parent: 'studies/s/trials/0' };

const EVENTS = [
  event(0, { case: 'created', value: study() }),
  event(1, { case: 'trialEnqueued', value: { values: valuesOf({ units: 8 }) } }),
  changed(2, trial(0, running, { values: valuesOf({ units: 8 }) })),
  changed(2, trial(0, running, { values: valuesOf({ units: 8 }) })),
  measured(3, 0, 1, { val_loss: 0.51239, 'acc\n': 0.5 }),
  changed(4, trial(0, { case: 'requested', value: { detail: 'its try 1 failed: \u001b[31mred' } }, { values: valuesOf({ units: 8 }) })),
  changed(5, trial(0, succeeded(0.5), { values: valuesOf({ units: 8 }), rung: RUNG })),
  changed(6, trial(1, { case: 'infeasible', value: { reason: 'too wide' } })),
  event(7, { case: 'updated', value: study({ maxTrials: 9 }) }),
  event(8, { case: 'updated', value: study({}, 'completed') }),
  event(9, { case: 'deleted', value: {} }),
];

test('without a terminal: a line for each event that says something new', () => {
  const { view, text } = viewed(false);
  for (const each of EVENTS) view.show(each);
  expect(text().trimEnd().split('\n')).toEqual([
    'studies/s was made: RandomSearch for val_loss (min), 4 parameters',
    'enqueued   units 8',
    'trial 0    running     units 8',
    'trial 0    epoch 1    val_loss 0.5124  acc\\n 0.5',
    'trial 0    requested   units 8  its try 1 failed: \\u{1b}[31mred',
    'trial 0    succeeded   0.5  b1 r1, epochs 4 to 9  units 8',
    'trial 1    infeasible  too wide',
    'study      has other limits',
    'study      completed: all trials have been suggested',
    'study      was deleted',
  ]);
});

test('a trial that is a job runs when its job is known, and is told again only when something changes', () => {
  const { view, text } = viewed(false);
  view.show(event(0, { case: 'created', value: study({ jobs: { template: { module: 'artifacts/m/versions/1' } } }) }));
  view.show(changed(1, trial(0, running)));
  view.show(changed(2, trial(0, running, { job: 'jobs/a' })));
  view.show(changed(3, trial(0, running, { job: 'jobs/a', checkpoint: 'artifacts/c/versions/1' })));
  expect(text().trimEnd().split('\n').slice(1)).toEqual(['trial 0    running     as jobs/a']);
});

test('for programs: the events, whole', () => {
  const { view, text } = viewed(true);
  for (const each of EVENTS) view.show(each);
  const documents = text().trimEnd().split('\n').map((line) => JSON.parse(line) as object);
  expect(documents).toHaveLength(EVENTS.length);
  expect(documents[4]).toMatchObject({ study: 'studies/s', trialMeasured: { trial: 'studies/s/trials/0', measurement: { epoch: 1 } } });
});
