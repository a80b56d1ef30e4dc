import { parse } from 'csv-parse/sync';
import { studyCsv } from './csv';
import { study, succeeded, trial, valuesOf } from './testing/study-messages';

/** Read by another's reader, as strictly as it can. */
const read = (text: string): Record<string, string>[] => parse(text, { columns: true, record_delimiter: '\r\n', relax_column_count: false, relax_quotes: false });

test('what each trial was, came to and had; empty where it had nothing', () => {
  const rows = read(studyCsv(study(), [
    trial(0, succeeded(0.1234567890123), { values: valuesOf({ rate: 0.02, units: 8, drop: false }), job: 'jobs/a', checkpoint: 'artifacts/t/versions/1' }),
    trial(1, { case: 'failed', value: { error: 'out of memory' } }, { attempts: 2, values: valuesOf({ rate: 1e-4, units: 64, drop: true, drop_rate: 0.5 }), rung: { iteration: 0, bracket: 2, round: 1, initialEpoch: 3, epochs: 9, parent: 'studies/s/trials/0' } }),
  ]));
  expect(rows).toMatchObject([
    { trial: '0', state: 'SUCCEEDED', origin: 'ALGORITHM', attempts: '1', epochs: '', parent: '', job: 'jobs/a', checkpoint: 'artifacts/t/versions/1', message: '', 'objective.val_loss': '0.1234567890123', 'parameter.rate': '0.02', 'parameter.units': '8', 'parameter.drop': 'false', 'parameter.drop_rate': '' },
    { trial: '1', state: 'FAILED', attempts: '2', bracket: '2', round: '1', initial_epoch: '3', epochs: '9', parent: '0', message: 'out of memory', 'objective.val_loss': '', 'parameter.drop_rate': '0.5' },
  ]);
});

test.each(['a,b', 'say "hi"', 'two\r\nlines', 'two\nlines', '\r', ' blanks ', '', '"', ',', 'größe 宽', '=1+1'])('a name, a value and a message %j come through', (text) => {
  const [row] = read(studyCsv(study(), [trial(0, { case: 'infeasible', value: { reason: text } }, { values: valuesOf({ [`n${text}`]: text }) })]));
  expect(row?.['message']).toBe(text);
  expect(row?.[`parameter.n${text}`]).toBe(text);
});

test('the names of parameters and objectives cannot be taken for those of the other columns', () => {
  const [row] = read(studyCsv(study({ objectives: [{ metric: 'trial', direction: 2 }, { metric: 'state', direction: 1 }] }), [trial(3, succeeded(1, 2), { values: valuesOf({ trial: 7, state: 'x' }) })]));
  expect(row).toMatchObject({ trial: '3', state: 'SUCCEEDED', 'objective.trial': '1', 'objective.state': '2', 'parameter.trial': '7', 'parameter.state': 'x' });
});

test('a study without trials has a head', () => {
  expect(studyCsv(study(), [])).toMatch(/^trial,state,.*,objective\.val_loss,parameter\.rate,parameter\.units,parameter\.drop,parameter\.drop_rate\r\n$/);
});
