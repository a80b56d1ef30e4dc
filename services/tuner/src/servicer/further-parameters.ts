import { checkConditions, type SearchSpace } from '@lockstep/search';
import type { Tuner } from '../study/tuner';
import { refuse } from '../study/tuner-error';

/**
 * Refuses parameters of a request that can never be active in the study's space. Those of KerasTuner's workers and of runs are taken as they are.
 *
 * @throws TunerError INVALID_ARGUMENT, NO_SUCH_STUDY
 */
export async function checkFurther(tuner: Pick<Tuner, 'get'>, study: string, parameters: SearchSpace): Promise<void> {
  if (parameters.length === 0) return;
  const { space } = (await tuner.get(study)).study;
  refuse(checkConditions(parameters, space.kind === 'KNOWN' ? space.space : [], 'parameters'));
}
