// Our side of the suite `search`: studies run in this process, without a tuner.
import { choiceParameter, floatParameter, intParameter, BayesianOptimization } from '@lockstep/search';
import { FUNCTIONS, noiseOf } from './search-functions.mjs';

const OBJECTIVES = [{ metric: 'score', direction: 'MIN' }];

function parameterOf({ kind, name, min, max, log, values, when }) {
  const conditions = when === undefined ? [] : [when];
  if (kind === 'choice') return choiceParameter(name, values, { conditions });
  const make = kind === 'int' ? intParameter : floatParameter;
  return make(name, { min, max, sampling: log ? 'LOG' : 'LINEAR', conditions });
}

export const newHistory = (space, seed) => ({ space: space.map(parameterOf), objectives: OBJECTIVES, seed, trials: [], enqueued: [] });

/** A trial that runs, as the history keeps it. */
export function begin(trials, { values, fidelity, memo }) {
  trials.push({ number: trials.length, values, fidelity, memo, state: { kind: 'RUNNING' }, measurements: [] });
  return trials.length - 1;
}

export function end(trials, number, score) {
  trials[number] = { ...trials[number], state: { kind: 'SUCCEEDED', scores: [score] } };
}

/**
 * One study of a function. With workers side by side the last suggestion knows as many results as with one: there are more trials by
 * those that run when it is made.
 * @param {string} name of the function
 * @param {number} workers how many trials run at once; the one that began first ends first
 * @param {number} results how many trials have ended when the last one is suggested, but for itself
 * @returns the regret of the trial with the best score
 */
export function searchOurs(name, seed, workers = 1, results = FUNCTIONS[name].trials) {
  const { space, regret, noise } = FUNCTIONS[name];
  const algorithm = new BayesianOptimization();
  const history = newHistory(space, seed);
  const running = [];
  const truth = ({ values }) => regret(Object.fromEntries(values));
  const finish = () => {
    const number = running.shift();
    end(history.trials, number, truth(history.trials[number]) + noise * noiseOf(seed, number));
  };
  for (let i = 0; i < results + workers - 1; i++) {
    running.push(begin(history.trials, algorithm.suggest(history)));
    if (running.length === workers) finish();
  }
  while (running.length > 0) finish();
  // The best score that it was told, as for the rivals.
  return truth(history.trials.reduce((best, trial) => (trial.state.scores[0] < best.state.scores[0] ? trial : best)));
}

/**
 * Times of single suggestions on Hartmann's function with about `size` trials, which are spread over the cube and crowded about its minimum.
 * @returns milliseconds, one for each suggestion
 */
export function suggestionTimes(size, seed, count) {
  const { space, regret } = FUNCTIONS.hartmann6;
  const centre = [0.2, 0.15, 0.48, 0.28, 0.31, 0.66];
  const history = newHistory(space, seed);
  const algorithm = new BayesianOptimization();
  const tell = (values, memo) => {
    const number = begin(history.trials, { values, memo, fidelity: { kind: 'WHOLE' } });
    end(history.trials, number, regret(Object.fromEntries(values)));
  };
  for (let i = 0; i < size - Math.floor(count / 2); i++) {
    const crowding = i % 10 < 4 ? Infinity : i % 10 < 7 ? 0.15 : 0.03;
    tell(new Map(centre.map((c, d) => {
      const noise = noiseOf(seed * 100_003 + i, d);
      return [`x${d}`, crowding === Infinity ? 1 / (1 + Math.exp(-1.7 * noise)) : Math.min(1, Math.max(0, c + crowding * noise))];
    })), {});
  }
  algorithm.suggest(history); // A study that began elsewhere: its first fit here is a fit from the start.
  return Array.from({ length: count }, () => {
    const start = performance.now();
    const { values, memo } = algorithm.suggest(history);
    const took = performance.now() - start;
    tell(values, memo);
    return took;
  });
}
