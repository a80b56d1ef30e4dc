import { create } from '@bufbuild/protobuf';
import { StudySpecSchema } from '@lockstep/contract';
import { completeTrial, enqueueValues, floatParameter, newStudy, NO_FINDINGS, WHOLE, type StudyChange, type TrackedTrial } from '@lockstep/search';
import type { Suggestions } from '../suggest/study-replica';
import { MoveQueue } from './move-queue';
import { SuggestionDesk } from './suggestion-desk';

const FOREVER = new AbortController().signal;

/** Answers some turns of the microtask queue late. */
class LateQueue extends MoveQueue {
  turns = 0;

  override post<T>(...move: Parameters<MoveQueue['post']>): Promise<T> {
    let answer = super.post(...move) as Promise<T>;
    for (let turn = 0; turn < this.turns; turn++) answer = answer.then((result) => result);
    return answer;
  }
}

/** A desk whose algorithm suggests what it knows: how many trials have ended, and how many values are enqueued. */
class Desk {
  /** Called while a suggestion is being made; how often it was, and how often while moves could be made. */
  meanwhile: () => void = () => undefined;
  readonly rounds = { all: 0, alone: 0 };
  /** What was stored, in order. */
  readonly log: StudyChange[] = [];
  readonly queue: LateQueue;
  readonly desk: SuggestionDesk;

  constructor(maxTrials?: number) {
    const study = newStudy('studies/s', { kind: 'KNOWN', space: [floatParameter('x', { min: 0, max: 1000 })] }, [{ metric: 'loss', direction: 'MIN' }], {
      limits: { maxConsecutiveFailures: 3, ...(maxTrials !== undefined && { maxTrials }) }, maxParallelTrials: undefined, retry: { maxRetries: 1, maxLosses: 2 }, leaseMs: 60_000,
    }, 0);
    this.queue = new LateQueue({ study, spec: create(StudySpecSchema) }, {
      write: () => Promise.resolve(), nowMs: () => 0,
      onCommitted: (changes) => {
        this.log.push(...changes);
        this.desk.changed(changes);
      },
    });
    const suggest = async (count: number, alone: boolean): Promise<Suggestions> => {
      const known = this.ended() + 0.5 * this.queue.stored.study.enqueued.length;
      this.rounds.all++;
      if (alone) this.rounds.alone++;
      this.meanwhile();
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      return { trials: Array.from({ length: count }, () => ({ kind: 'TRIAL', values: new Map([['x', known]]), fidelity: WHOLE, memo: {}, origin: 'ALGORITHM' })), end: undefined };
    };
    this.desk = new SuggestionDesk({ queue: this.queue, nowMs: () => 0, suggest: (count) => suggest(count, false), suggestAlone: (count) => suggest(count, true) });
  }

  async ask(client: string): Promise<TrackedTrial> {
    const asked = await this.desk.ask(client, 1, 10_000, FOREVER);
    if (asked.kind !== 'TRIALS' || !asked.trials[0]) throw new Error(`${client} was given nothing: ${asked.kind}`);
    return asked.trials[0];
  }

  complete(number: number, client: string): Promise<TrackedTrial> {
    return this.queue.post((study, nowMs) => completeTrial(study, number, client, { kind: 'SUCCESS', metrics: new Map([['loss', 1]]) }, NO_FINDINGS, nowMs));
  }

  /** What had been recorded when a trial was: trials that ended. */
  endedBefore(number: number): number {
    const begun = this.log.findIndex((change) => change.kind === 'TRIAL' && change.trial.number === number);
    return this.log.slice(0, begun).filter((change) => change.kind === 'TRIAL' && change.trial.state.kind === 'SUCCEEDED').length;
  }

  private ended(): number {
    return this.queue.stored.study.ended.succeeded;
  }
}

describe('a suggestion is taken up only if it was made from what is recorded before it', () => {
  test('a trial that ends while it is made: it is made again', async () => {
    const desk = new Desk();
    await desk.ask('a');
    desk.meanwhile = () => {
      desk.meanwhile = () => undefined;
      void desk.complete(0, 'a');
    };
    const trial = await desk.ask('b');
    expect([trial.number, trial.values.get('x'), desk.endedBefore(1)]).toEqual([1, 1, 1]);
    expect(desk.rounds).toEqual({ all: 3, alone: 0 });
  });

  test('values that are enqueued while it is made', async () => {
    const desk = new Desk();
    desk.meanwhile = () => {
      desk.meanwhile = () => undefined;
      void desk.queue.post((study) => enqueueValues(study, new Map([['x', 7]])));
    };
    expect((await desk.ask('a')).values.get('x')).toBe(0.5);
  });

  test('trials that end whenever one is made starve nobody: then moves wait for it', async () => {
    const desk = new Desk();
    const others = Array.from({ length: 20 }, (_, i) => `client ${i}`);
    for (const other of others) await desk.ask(other);
    const { all } = desk.rounds;
    let next = 0;
    const completing: Promise<unknown>[] = [];
    desk.meanwhile = () => {
      const other = others[next];
      if (other !== undefined) completing.push(desk.complete(next++, other));
    };
    const trial = await desk.ask('waits');
    expect(trial.values.get('x')).toBe(desk.endedBefore(trial.number));
    expect([desk.rounds.all - all, desk.rounds.alone]).toEqual([3, 1]);
    // What came meanwhile was done after it.
    await Promise.all(completing);
    expect(desk.queue.stored.study.ended.succeeded).toBe(next);
  });
});

test('who comes while others are being served is served too, at whatever turn', async () => {
  const desk = new Desk(1);
  const { number } = await desk.ask('a');
  await desk.complete(number, 'a');
  for (let turns = 0; turns < 20; turns++) {
    const answers = [0, turns].map((late, i) => {
      desk.queue.turns = late;
      return desk.desk.ask(`${i}`, 1, 100, FOREVER);
    });
    expect([turns, await Promise.all(answers)]).toEqual([turns, [{ kind: 'OVER' }, { kind: 'OVER' }]]);
  }
});
