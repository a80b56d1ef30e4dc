import { StudySchema, type Study } from '@lockstep/contract';
import { CliError, EXIT, type ExitCode } from '../cli-error';
import type { Output } from '../output';
import { printable } from '../terminal-text';
import { studyDetail, studyState } from './study-summary';

/**
 * What a study that was extended does now.
 *
 * @throws CliError when it is still over, because another of its limits has been reached: what it got more of is kept all the same
 */
export function showExtended(study: Study, output: Output): ExitCode {
  output.message(StudySchema, study);
  if (study.state.case !== 'active') {
    throw new CliError(`${study.name} is still ${studyState(study)}: ${printable(studyDetail(study))}`, 'Extend that too: --trials, --total-epochs and --max-duration are limits, --max-epochs and --iterations are what Hyperband does.');
  }
  output.line(`${study.name} is ${studyState(study)}`);
  return EXIT.OK;
}
