/** Which checkpoints a running job has: what members have written, and what turns out to be lost. All functions are parts of decisions. */
import { create, toBinary } from '@bufbuild/protobuf';
import { CheckpointCommittedSchema, PositionSchema, type CheckpointWritten } from '@lockstep/contract';
import { isStanding, takeCheckpoint } from '@lockstep/membership';
import { isSuperseded, type CheckpointCleaner } from './checkpoint-cleaner';
import type { JobStore } from './job-store';
import { toResumePoint, type LiveJob } from './live-job';

export class CheckpointBook {
  constructor(
    private readonly store: Pick<JobStore, 'listCheckpoints' | 'update'>,
    private readonly cleaner: Pick<CheckpointCleaner, 'listChanged'>,
    private readonly clock: { nowMs(): number },
  ) {}

  /** A checkpoint is in the artifact service: from here on the job goes on from it if it has to. */
  async written(job: LiveJob, { version, stateDigest, steps, position }: CheckpointWritten): Promise<void> {
    if (!isStanding(job.state)) return;
    const { name, spec } = job.record.job;
    const place = position ?? create(PositionSchema);
    const told = { step: Number(steps), position: toBinary(PositionSchema, place), version, stateDigest, generation: job.state.generation };
    const listed = await this.store.listCheckpoints(name);
    const taken = isSuperseded(version, listed.map((one) => one.version)) ? undefined : takeCheckpoint(listed, told, spec?.checkpoint?.keep ?? 1);
    if (!taken) return;
    const event = { case: 'checkpointCommitted', value: create(CheckpointCommittedSchema, { position: place, version, stateDigest, steps }) } as const;
    await this.store.update(job.record.job, [event], this.clock.nowMs(), { checkpoints: [told], droppedCheckpoints: taken.dropped.map((one) => one.version) });
    job.checkpoint = taken.kept.map(toResumePoint)[0];
    this.cleaner.listChanged(name, taken.kept.map((one) => one.version));
  }

  /** What the job was to go on from cannot be read: it goes on from the checkpoint before, or from its beginning. */
  async lost(job: LiveJob): Promise<void> {
    const listed = await this.store.listCheckpoints(job.record.job.name);
    const lost = listed.find((one) => one.version === job.checkpoint?.version);
    if (lost) await this.store.update(job.record.job, [], this.clock.nowMs(), { droppedCheckpoints: [lost.version] });
    job.checkpoint = listed.filter((one) => one !== lost).map(toResumePoint)[0];
  }
}
