import { create } from '@bufbuild/protobuf';
import { JobEventSchema, MemberProgressSchema, MetricValueSchema, Phase, PositionSchema, type JobEvent, type MemberMessage, type MetricValue, type Position } from '@lockstep/contract';
import type { Position as DomainPosition } from '@lockstep/reduction';

/** Steps are told of at most this often: an event is a transaction of the coordinator's. */
const STEP_INTERVAL_MS = 200;

const PHASE_NUMBERS: Record<DomainPosition['phase'], Phase> = { TRAIN: Phase.TRAIN, EVAL: Phase.EVAL, CALLBACKS: Phase.CALLBACKS, EXPORT: Phase.EXPORT };

export const toPosition = (p: DomainPosition): Position =>
  create(PositionSchema, { call: p.call, epoch: p.epoch, phase: PHASE_NUMBERS[p.phase], step: p.step });

export const toMetrics = (values: Readonly<Record<string, number>>): MetricValue[] =>
  Object.entries(values).map(([name, value]) => create(MetricValueSchema, { name, value }));

/** Batches a member's progress: steps by time, everything else at once and in order. */
export class ProgressReporter {
  private pending: { position: DomainPosition; steps: number; rows: number; metrics: Readonly<Record<string, number>> } | undefined;
  private lastMs = -Infinity;

  constructor(private readonly send: (message: MemberMessage['message']) => void, private readonly nowMs: () => number) {}

  step(position: DomainPosition, rows: number, metrics: Readonly<Record<string, number>>): void {
    this.pending = { position, metrics, steps: (this.pending?.steps ?? 0) + 1, rows: (this.pending?.rows ?? 0) + rows };
    if (this.nowMs() - this.lastMs >= STEP_INTERVAL_MS) this.flush();
  }

  event(event: JobEvent['event']): void {
    this.flush(event);
  }

  /** Sends what waits, followed by an event. */
  flush(event?: JobEvent['event']): void {
    const events: JobEvent[] = [];
    if (this.pending) {
      const { position, steps, rows, metrics } = this.pending;
      events.push(create(JobEventSchema, { event: { case: 'stepsCommitted', value: {
        $typeName: 'lockstep.coordinator.v1.StepsCommitted', position: toPosition(position), steps, rows: BigInt(rows), metrics: toMetrics(metrics),
      } } }));
      this.pending = undefined;
    }
    if (event) events.push(create(JobEventSchema, { event }));
    if (events.length === 0) return;
    this.lastMs = this.nowMs();
    this.send({ case: 'progress', value: create(MemberProgressSchema, { events }) });
  }
}
