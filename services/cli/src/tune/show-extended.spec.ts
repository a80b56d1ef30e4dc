import { EXIT } from '../cli-error';
import { Output } from '../output';
import { captured } from '../testing/captured';
import { showExtended } from './show-extended';
import { study } from './testing/study-messages';

test('a study that goes on is fine; one that is still over says why, and what to do', () => {
  const { stream, text } = captured();
  const output = new Output(false, stream, stream);
  expect(showExtended(study(), output)).toBe(EXIT.OK);
  expect(text()).toBe('studies/s is active\n');
  expect(() => showExtended(study({}, 'completed'), output)).toThrow(expect.objectContaining({
    message: 'studies/s is still completed: all trials have been suggested', hint: expect.stringContaining('--total-epochs') as string, exitCode: EXIT.FAILED,
  }) as Error);
});
