/** A job's events as a person sees them: a progress bar on a terminal, a line for what matters elsewhere. */
import { JobEventSchema, JobState, type JobEvent, type MemberAwaited, type MetricValue, type TrainJob } from '@lockstep/contract';
import { madeBy } from './made-by';
import { formatNumber, formatSeconds, type Output } from './output';

const BAR_WIDTH = 24;

interface Call {
  readonly label: string;
  readonly epochs: number;
  stepsPerEpoch: number;
}

/** Formats metrics in the order in which they came: `loss 0.4121  acc 0.93`. */
export const formatMetrics = (metrics: readonly MetricValue[]): string =>
  metrics.map((m) => `${m.name} ${formatNumber(m.value)}`).join('  ');

/** Whom a job waits for: `for rank 2 (workers/w3) since 12 s at call 1, epoch 3, step 40`. Epochs are counted as the bar counts them. */
export function formatAwaited({ worker, rank, waitingMs, position }: MemberAwaited): string {
  const place = position ? ` at call ${position.call}, epoch ${position.epoch + 1}, step ${position.step}` : '';
  return `for rank ${rank} (${worker}) since ${Math.round(waitingMs / 1000)} s${place}`;
}

export const stateName = (state: JobState): string => JobState[state];

/** Draws the events of one job. */
export class JobView {
  private call: Call | undefined;
  private stepsInCall = 0;
  private callStartMs = 0;
  private lastLineMs = 0;

  constructor(private readonly output: Output, private readonly nowMs: () => number) {}

  show(event: JobEvent): void {
    this.output.message(JobEventSchema, event);
    if (this.output.json) return;
    const { event: what } = event;
    switch (what.case) {
      case 'created':
        return this.say(`${event.job} was accepted`);
      case 'stateChanged':
        return this.say(`${stateName(what.value.state).toLowerCase().padEnd(10)} ${what.value.detail}`);
      case 'generationFormed':
        return this.say(`members    ${(what.value.generation?.members ?? []).map((m) => `${m.worker.replace('workers/', '')} [${m.replicas?.from ?? 0}, ${m.replicas?.to ?? 0})`).join('  ')}`);
      case 'callStarted':
        this.call = { label: what.value.label, epochs: what.value.epochs, stepsPerEpoch: what.value.stepsPerEpoch };
        this.stepsInCall = 0;
        this.callStartMs = this.nowMs();
        return this.say(`call ${what.value.call}     ${what.value.label}`);
      case 'stepsCommitted': {
        this.stepsInCall += what.value.steps;
        const position = what.value.position;
        this.progress(position?.epoch ?? 0, (position?.step ?? 0) + 1, what.value.metrics);
        return;
      }
      case 'epochEnded': {
        const epoch = (what.value.position?.epoch ?? 0) + 1;
        if (this.call && this.call.stepsPerEpoch === 0) this.call.stepsPerEpoch = (what.value.position?.step ?? 0) + 1;
        return this.say(`epoch ${String(epoch).padStart(3)}/${this.call?.epochs ?? '?'}  ${formatMetrics(what.value.metrics)}`);
      }
      case 'callEnded':
        return this.output.clearLine();
      case 'memberLost': {
        const { worker, rank, detail, left } = what.value;
        return this.say(left ? `left       rank ${rank} (${worker}) hands over and goes` : `lost       rank ${rank} (${worker}): ${detail}. The others redo the step that was broken off`);
      }
      case 'memberJoined':
        return this.say(`joined     rank ${what.value.rank} (${what.value.worker}) enters with the state of the others`);
      case 'joinerDropped':
        return this.say(`not joined ${what.value.worker}: ${what.value.detail}`);
      case 'memberAwaited':
        return this.say(`waits      ${formatAwaited(what.value)}`);
      case 'checkpointCommitted':
        return this.say(`checkpoint ${what.value.version} after ${what.value.steps} steps`);
      case undefined:
        return;
    }
  }

  /** What a job's end means, in one or a few lines. */
  conclude(job: TrainJob): void {
    this.output.clearLine();
    if (this.output.json) return;
    if (job.state === JobState.SUCCEEDED && job.result) {
      this.output.line();
      if (job.metrics.length > 0) this.output.line(`metrics    ${formatMetrics(job.metrics)}`);
      const made = madeBy(job.result);
      for (const { what, name } of made) this.output.line(`${what.padEnd(10)} ${name}`);
      this.output.line(`state      ${job.result.stateDigest}`);
      if (job.result.modelRun !== '') this.output.line(`run        ${job.result.modelRun}: \`lockstep artifacts get ${job.result.modelRun} --to ./run\`, then \`tensorboard --logdir ./run\``);
      for (const note of job.result.notes) this.output.line(`note       ${note}`);
      for (const { what, name } of made) if (what !== 'digest') this.output.line(`fetch      lockstep artifacts get ${name} --to ./${what}`);
    } else if (job.error) {
      this.output.line();
      this.output.line(`failed     ${job.error.message}`);
      this.output.line(`reason     ${job.error.reason}${job.error.worker === '' ? '' : ` on ${job.error.worker} (rank ${job.error.rank})`}`);
      if (job.error.stack !== '') this.output.line(job.error.stack);
    } else {
      this.output.line(`${stateName(job.state).toLowerCase()}`);
    }
  }

  private progress(epoch: number, step: number, metrics: readonly MetricValue[]): void {
    const elapsed = (this.nowMs() - this.callStartMs) / 1000;
    const rate = elapsed > 0 ? this.stepsInCall / elapsed : 0;
    const { epochs, stepsPerEpoch } = this.call ?? { epochs: 0, stepsPerEpoch: 0 };
    const total = epochs * stepsPerEpoch;
    const share = total > 0 ? Math.min(1, (epoch * stepsPerEpoch + step) / total) : 0;
    const filled = Math.round(share * BAR_WIDTH);
    const eta = total > 0 && rate > 0 ? `ETA ${formatSeconds((total - epoch * stepsPerEpoch - step) / rate)}` : '';
    const text = `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}] epoch ${epoch + 1}/${epochs || '?'} step ${step}${stepsPerEpoch > 0 ? `/${stepsPerEpoch}` : ''}`
      + `  ${rate.toFixed(1)} steps/s  ${eta}  ${formatMetrics(metrics)}`;
    this.output.redraw(text);
    // Without a terminal, a line now and then on long epochs.
    if (!this.output.interactive && this.nowMs() - this.lastLineMs > 10_000) {
      this.lastLineMs = this.nowMs();
      this.output.line(text);
    }
  }

  private say(text: string): void {
    this.output.clearLine();
    this.lastLineMs = this.nowMs();
    this.output.line(text);
  }
}
