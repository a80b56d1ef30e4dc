import { spaceOf } from '@lockstep/client';
import type { StudySpec } from '@lockstep/contract';
import { cardinality, Schedule, type Sweep } from '@lockstep/search';

/** How much there is to do in a study, all told; undefined where nobody can know. */
export interface PlannedWork {
  readonly trials: number | undefined;
  /** Epochs trained, of all trials together. */
  readonly epochs: number | undefined;
}

/** What the study's algorithm and limits come to. */
export function plannedWork(spec: StudySpec | undefined): PlannedWork {
  const { trials, epochs } = algorithmsPlan(spec);
  return { trials: least(trials, spec?.maxTrials), epochs: least(epochs, spec?.maxTotalEpochs === undefined ? undefined : Number(spec.maxTotalEpochs)) };
}

function algorithmsPlan(spec: StudySpec | undefined): PlannedWork {
  switch (spec?.algorithm.case) {
    case 'hyperband': {
      const { maxEpochs, factor, iterations, earlierSweeps } = spec.algorithm.value;
      const one = sweepsWork({ maxEpochs, factor });
      const earlier = earlierSweeps.map(sweepsWork);
      const sum = (of: (work: Work) => number): number => of(one) * iterations + earlier.reduce((all, work) => all + of(work), 0);
      return { trials: sum((work) => work.trials), epochs: sum((work) => work.epochs) };
    }
    case 'gridSearch': {
      // A range without a step has infinitely many points, of which the grid takes some.
      const points = spec.space.case === 'searchSpace' ? cardinality(spaceOf(spec)) : Infinity;
      return { trials: Number.isFinite(points) ? points : undefined, epochs: undefined };
    }
    case 'randomSearch':
    case 'asha':
    case 'bayesianOptimization':
    case undefined: return { trials: undefined, epochs: undefined };
  }
}

interface Work {
  readonly trials: number;
  readonly epochs: number;
}

/** A promoted trial goes on from its parent's last epoch. */
function sweepsWork(sweep: Sweep): Work {
  const schedule = new Schedule(sweep);
  let trials = 0;
  let epochs = 0;
  for (let bracket = 0; bracket < schedule.bracketCount; bracket++) {
    for (let round = 0; round <= bracket; round++) {
      const size = schedule.size(bracket, round);
      trials += size;
      epochs += size * (schedule.epochs(bracket, round) - (round === 0 ? 0 : schedule.epochs(bracket, round - 1)));
    }
  }
  return { trials, epochs };
}

const least = (a: number | undefined, b: number | undefined): number | undefined => (a === undefined ? b : b === undefined ? a : Math.min(a, b));
