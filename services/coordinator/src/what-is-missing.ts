import { barredWorkers } from '@lockstep/membership';
import type { AgentRegistry } from './agent-registry';
import type { LiveJob } from './live-job';

/** What a queued job waits for, in words. */
export function whatIsMissing({ record, state }: Pick<LiveJob, 'record' | 'state'>, agents: Pick<AgentRegistry, 'free' | 'list'>, nowMs: number): string {
  const { min = 1 } = record.job.spec?.workers ?? {};
  const barred = barredWorkers(state, nowMs);
  const welcome = agents.free().filter((worker) => !barred.includes(worker)).length;
  const [free, attached] = [agents.free().length, agents.list().length];
  const keptOut = free - welcome;
  const others = welcome >= min ? ', and an older job waits too'
    : keptOut > 0 ? `, and for a while ${keptOut} of them ${keptOut === 1 ? 'is' : 'are'} not taken: the job has lost ${keptOut === 1 ? 'it' : 'them'} before` : '';
  return `waits for ${min} free ${min === 1 ? 'worker' : 'workers'}: ${free} of ${attached} ${attached === 1 ? 'is' : 'are'} free${others}`;
}
