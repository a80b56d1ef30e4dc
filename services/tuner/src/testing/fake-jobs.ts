/** A coordinator in memory, whose jobs do what a test says. */
import { create, equals, type MessageInitShape } from '@bufbuild/protobuf';
import { Fault, JobEventSchema, JobState, TrainJobSchema, TrainJobSpecSchema, type JobEvent, type TrainJob, type TrainJobSpec, type TrialRun } from '@lockstep/contract';
import { RpcError } from '@lockstep/rpc';
import type { Jobs } from '../jobs/jobs';

/** A job that was submitted. */
export class FakeJob {
  private readonly events: JobEvent[] = [];
  private readonly watchers = new Set<() => void>();
  job: TrainJob;

  constructor(name: string, readonly spec: TrainJobSpec, readonly requestId: string) {
    this.job = create(TrainJobSchema, { name, spec, state: JobState.RUNNING });
  }

  get trial(): TrialRun {
    if (this.spec.tuner?.part.case !== 'trial') throw new Error(`${this.job.name} is no trial`);
    return this.spec.tuner.part.value;
  }

  /** An epoch of a fit ends. @param call the fit's number in the module */
  epoch(epoch: number, metrics: Readonly<Record<string, number>>, call = 0): void {
    this.tell({ case: 'epochEnded', value: { $typeName: 'lockstep.coordinator.v1.EpochEnded', position: { $typeName: 'lockstep.coordinator.v1.Position', call, epoch, phase: 0, step: 0 }, metrics: metricsOf(metrics) } });
  }

  /** The trial comes to its end with the objective's values, epoch by epoch. */
  succeed(metric: string, values: readonly number[], found = '{"space": [], "values": {}}'): void {
    const trial = this.trial;
    this.end({
      state: JobState.SUCCEEDED,
      result: { tuner: { case: 'trial', value: { checkpoint: `${this.spec.output}/versions/${this.job.name.slice('jobs/'.length)}`, hyperparametersJson: found, executions: [{ firstEpoch: trial.initialEpoch, objectives: [{ name: metric, values: [...values] }] }] } } },
    });
  }

  fail(reason: string, message: string, fault = Fault.MODULE): void {
    this.end({ state: JobState.FAILED, error: { reason, message, fault } });
  }

  /** A member is lost; the job goes on without it, or is restarted. */
  lose(worker: string): void {
    this.tell({ case: 'memberLost', value: { $typeName: 'lockstep.coordinator.v1.MemberLost', worker, rank: 0, detail: 'it was killed', left: false } });
  }

  end(change: Omit<MessageInitShape<typeof TrainJobSchema>, '$typeName'>): void {
    this.job = create(TrainJobSchema, { name: this.job.name, spec: this.spec, ...change });
    for (const wake of this.watchers) wake();
  }

  async *watch(signal: AbortSignal | undefined): AsyncGenerator<JobEvent> {
    for (let at = 0; ;) {
      for (let event = this.events[at]; event && signal?.aborted !== true; event = this.events[++at]) yield event;
      if (this.job.state !== JobState.RUNNING || signal?.aborted === true) return;
      await new Promise<void>((resolve) => {
        const wake = (): void => { this.watchers.delete(wake); resolve(); };
        this.watchers.add(wake);
        signal?.addEventListener('abort', wake, { once: true });
      });
    }
  }

  private tell(event: JobEvent['event']): void {
    this.events.push(create(JobEventSchema, { sequence: BigInt(this.events.length + 1), job: this.job.name, event }));
    for (const wake of this.watchers) wake();
  }
}

const metricsOf = (metrics: Readonly<Record<string, number>>): { $typeName: 'lockstep.coordinator.v1.MetricValue'; name: string; value: number }[] =>
  Object.entries(metrics).map(([name, value]) => ({ $typeName: 'lockstep.coordinator.v1.MetricValue', name, value }));

export class FakeJobs implements Jobs {
  readonly submitted: FakeJob[] = [];
  /** What a submission is refused with. */
  refusal: RpcError | undefined;

  /** @param onSubmit is told of each new job: it may end at once */
  constructor(private readonly onSubmit: (job: FakeJob) => void = () => undefined) {}

  submit(init: Parameters<Jobs['submit']>[0], { requestId = '', validateOnly = false }: Parameters<Jobs['submit']>[1]): Promise<TrainJob> {
    if (this.refusal) return Promise.reject(this.refusal);
    const spec = create(TrainJobSpecSchema, init);
    if (validateOnly) return Promise.resolve(create(TrainJobSchema, { spec }));
    const known = requestId === '' ? undefined : this.submitted.find((job) => job.requestId === requestId);
    if (known && !equals(TrainJobSpecSchema, known.spec, spec)) return Promise.reject(new RpcError('ALREADY_EXISTS', `request_id "${requestId}" made ${known.job.name} from another spec: use a new id`));
    if (known) return Promise.resolve(known.job);
    const job = new FakeJob(`jobs/${this.submitted.length}`, spec, requestId);
    this.submitted.push(job);
    this.onSubmit(job);
    return Promise.resolve(job.job);
  }

  get(name: string): Promise<TrainJob> {
    return Promise.resolve(this.require(name).job);
  }

  cancel(name: string): Promise<TrainJob> {
    const job = this.require(name);
    if (job.job.state === JobState.RUNNING) job.end({ state: JobState.CANCELLED });
    return Promise.resolve(job.job);
  }

  watch(name: string, _after?: bigint, signal?: AbortSignal): AsyncIterable<JobEvent> {
    return this.require(name).watch(signal);
  }

  private require(name: string): FakeJob {
    const job = this.submitted.find((one) => one.job.name === name);
    if (!job) throw new RpcError('NOT_FOUND', `${name} does not exist`);
    return job;
  }
}
