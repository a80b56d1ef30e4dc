import { create } from '@bufbuild/protobuf';
import {
  CallStartedSchema, EpochEndedSchema, FinishedCallSchema, MemberProgressSchema, MetricValueSchema, Phase, PositionSchema, ProgressEntrySchema, StepsCommittedSchema,
  type MemberMessage, type MetricValue, type Position, type ProgressEntry,
} from '@lockstep/contract';
import { toLedger, toProgressPoint, toTrainingData } from '@lockstep/client';
import type { ProgressKind } from '@lockstep/membership';
import type { Position as DomainPosition } from '@lockstep/reduction';
import { encodeCanonicalJson, type CallInfo, type CallRecord, type StepInfo } from '@lockstep/training';

/** Steps are told of at most this often: a message is a transaction of the coordinator's. */
const STEP_INTERVAL_MS = 200;

const PHASE_NUMBERS: Record<DomainPosition['phase'], Phase> = { TRAIN: Phase.TRAIN, EVAL: Phase.EVAL, CALLBACKS: Phase.CALLBACKS, EXPORT: Phase.EXPORT };

export const toPosition = (p: DomainPosition): Position =>
  create(PositionSchema, { call: p.call, epoch: p.epoch, phase: PHASE_NUMBERS[p.phase], step: p.step });

export const toMetrics = (values: Readonly<Record<string, number>>): MetricValue[] =>
  Object.entries(values).map(([name, value]) => create(MetricValueSchema, { name, value }));

type Place = Pick<DomainPosition, 'call' | 'epoch' | 'step'>;

/** Batches a member's progress: steps by time, everything else at once and in order. */
export class ProgressReporter {
  private pending: ProgressEntry[] = [];
  private lastMs = -Infinity;

  constructor(private readonly send: (message: MemberMessage['message']) => void, private readonly nowMs: () => number) {}

  step({ position, rows, values, visits }: Pick<StepInfo, 'position' | 'rows' | 'values' | 'visits'>): void {
    const value = create(StepsCommittedSchema, { position: toPosition(position), steps: 1, rows: BigInt(rows), metrics: toMetrics(values), ledger: toLedger(visits) });
    this.add('STEP', position, { case: 'step', value });
    if (this.nowMs() - this.lastMs >= STEP_INTERVAL_MS) this.flush();
  }

  callStarted({ number, kind, label, extent, data }: CallInfo): void {
    const value = create(CallStartedSchema, { call: number, kind, label, epochs: extent?.epochs ?? 0, stepsPerEpoch: extent?.stepsPerEpoch ?? 0, ...(data && { data: toTrainingData(data) }) });
    this.add('CALL_STARTED', { call: number, epoch: 0, step: 0 }, { case: 'callStarted', value });
    this.flush();
  }

  epochEnded(position: DomainPosition, logs: Readonly<Record<string, number>>): void {
    this.add('EPOCH_ENDED', position, { case: 'epochEnded', value: create(EpochEndedSchema, { position: toPosition(position), metrics: toMetrics(logs) }) });
    this.flush();
  }

  callEnded(number: number, { kind, label, digest, result }: CallRecord): void {
    const value = create(FinishedCallSchema, { number, kind, label, digest, resultJson: encodeCanonicalJson(result) });
    this.add('CALL_ENDED', { call: number, epoch: 0, step: 0 }, { case: 'callEnded', value });
    this.flush();
  }

  /** Sends what waits. */
  flush(): void {
    if (this.pending.length === 0) return;
    const entries = this.pending;
    this.pending = [];
    this.lastMs = this.nowMs();
    this.send({ case: 'progress', value: create(MemberProgressSchema, { entries }) });
  }

  private add(kind: ProgressKind, { call, epoch, step }: Place, entry: ProgressEntry['entry']): void {
    this.pending.push(create(ProgressEntrySchema, { point: toProgressPoint({ kind, call, epoch, step }), entry }));
  }
}
