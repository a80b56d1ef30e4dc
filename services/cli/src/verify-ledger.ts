/**
 * A job's ledger against its plan: what its committed steps consumed, as the members' sums say, and what the shard tables,
 * the spec and the positions of the steps say that they should have consumed.
 *
 * 1. The plan is computed from what the coordinator stores, by the same pure functions that training reads by.
 * 2. A call whose data only the module knows is counted, and not judged.
 */
import { addLedgers, fromExamplesData, fromLedger, type ExamplesDataPlan, type JobTables } from '@lockstep/client';
import type { CallStarted, JobEvent, LedgerSummary, StepsCommitted } from '@lockstep/contract';
import { iterationOf, passOf, planExamples, RecordNumbers, VisitTally, type DataPlan, type TallySummary } from '@lockstep/sharding';

/** What became of a call's plan. */
export type CallVerdict =
  | { readonly kind: 'AS_PLANNED' }
  | { readonly kind: 'DIFFERS'; readonly planned: TallySummary }
  /** It cannot be judged; why, in words. */
  | { readonly kind: 'UNKNOWN'; readonly why: string };

/** One collective call that trained. */
export interface VerifiedCall {
  readonly call: number;
  readonly label: string;
  readonly steps: number;
  readonly consumed: TallySummary;
  readonly verdict: CallVerdict;
}

/** Steps of one epoch, [from, to). */
interface StepRun {
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
}

/** A call as its events tell of it. */
interface ToldCall {
  readonly started: CallStarted;
  readonly runs: StepRun[];
  ledger: LedgerSummary | undefined;
}

/** Follows a job's events, in order. */
export class LedgerVerifier {
  private readonly calls: ToldCall[] = [];

  /** @param replicas V */
  constructor(private readonly tables: JobTables, private readonly replicas: number) {}

  /** @returns steps that were told of so far */
  get steps(): number {
    return this.calls.reduce((sum, { runs }) => sum + stepsOf(runs), 0);
  }

  /** What all steps that were told of consumed. */
  get consumed(): TallySummary {
    return fromLedger(this.calls.reduce<LedgerSummary | undefined>((sum, { ledger }) => addLedgers(sum, ledger), undefined));
  }

  follow({ event }: Pick<JobEvent, 'event'>): void {
    if (event.case === 'callStarted') this.calls.push({ started: event.value, runs: [], ledger: undefined });
    const call = this.calls.at(-1);
    if (event.case !== 'stepsCommitted' || !call) return;
    call.runs.push(...runsOf(event.value, call.started.stepsPerEpoch));
    call.ledger = addLedgers(call.ledger, event.value.ledger);
  }

  /** The calls that trained. */
  verify(): readonly VerifiedCall[] {
    return this.calls.filter(({ runs }) => runs.length > 0).map((told) => {
      const consumed = fromLedger(told.ledger);
      return { call: told.started.call, label: told.started.label, steps: stepsOf(told.runs), consumed, verdict: this.judge(told, consumed) };
    });
  }

  private judge({ started, runs }: ToldCall, consumed: TallySummary): CallVerdict {
    const data = started.data?.data;
    switch (data?.case) {
      case 'examples': {
        const plan = fromExamplesData(data.value, this.replicas);
        const found = this.tables.shards(plan.patterns);
        if (found.kind === 'NO_MATCH') return { kind: 'UNKNOWN', why: `${found.pattern} is none of the job's files` };
        return compare(consumed, plannedExamples(started, runs, plan, new RecordNumbers(found.table)));
      }
      case 'rows': {
        const ends = runs.map(({ to }) => to);
        if (started.stepsPerEpoch === 0 || ends.at(-1) !== started.stepsPerEpoch) return { kind: 'UNKNOWN', why: 'its last epoch was not finished, and which rows in memory a step reads only the module knows' };
        return compare(consumed, plannedRows(started.call, new Set(runs.map(({ epoch }) => epoch)), Number(data.value.rowCount)));
      }
      case undefined:
        return { kind: 'UNKNOWN', why: 'it read data of the module\'s own' };
    }
  }
}

const stepsOf = (runs: readonly StepRun[]): number => runs.reduce((sum, { from, to }) => sum + to - from, 0);

const compare = (consumed: TallySummary, planned: TallySummary): CallVerdict =>
  (consumed.records === planned.records && consumed.sum === planned.sum ? { kind: 'AS_PLANNED' } : { kind: 'DIFFERS', planned });

/** The steps that one event tells of, backwards from its position: they may be of several epochs. */
function runsOf({ position, steps }: StepsCommitted, stepsPerEpoch: number): readonly StepRun[] {
  const runs: StepRun[] = [];
  let to = (position?.step ?? 0) + 1;
  for (let epoch = position?.epoch ?? 0, left = steps; left > 0 && epoch >= 0 && to > 0; epoch--) {
    const from = Math.max(0, to - left);
    runs.unshift({ epoch, from, to });
    left -= to - from;
    to = stepsPerEpoch;
  }
  return runs;
}

function plannedExamples({ call, stepsPerEpoch }: CallStarted, runs: readonly StepRun[], { options, continues }: ExamplesDataPlan, numbers: RecordNumbers): TallySummary {
  const tally = new VisitTally();
  const plans = new Map<number, DataPlan>();
  const firstEpoch = runs[0]?.epoch ?? 0;
  for (const { epoch, from, to } of runs) {
    const iteration = iterationOf(call, continues ? 0 : epoch);
    const plan = plans.get(iteration) ?? planExamples(numbers, iteration, options);
    plans.set(iteration, plan);
    const before = continues ? (epoch - firstEpoch) * stepsPerEpoch : 0;
    for (let step = before + from; step < before + to; step++) {
      for (const { pass, record } of plan.recordsOf(step, { from: 0, to: plan.rowCount(step) })) tally.addOne(passOf(iteration, pass), record);
    }
  }
  return tally.summary();
}

function plannedRows(call: number, epochs: Iterable<number>, rowCount: number): TallySummary {
  const tally = new VisitTally();
  for (const epoch of epochs) {
    const pass = passOf(iterationOf(call, epoch), 0);
    for (let row = 0; row < rowCount; row++) tally.addOne(pass, row);
  }
  return tally.summary();
}
