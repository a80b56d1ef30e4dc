/** What a coordinator tells the artifact service of the job's generations, one after the other: not within a decision, since the service may be slow. */
import type { SimProcess } from '../world/sim-process';
import type { CallOutcome, UnaryService } from '../world/unary-service';
import type { ArtifactAnswer, ArtifactRequest } from './artifact-service';
import { Serial } from './serial';

export class Announcements {
  private readonly serial = new Serial<CallOutcome<ArtifactAnswer>>();
  private heard = true;

  constructor(
    private readonly process: SimProcess,
    private readonly artifacts: UnaryService<ArtifactRequest, ArtifactAnswer>,
    private readonly job: string,
  ) {}

  /** @param failed told why the service has not taken note. A refusal is none: a newer generation is known there, since a member has committed in it */
  announce(generation: number, failed: (why: string) => void): void {
    this.serial.run((done) => this.artifacts.call(this.process, { kind: 'ADVANCE_FENCE', fence: { job: this.job, generation } }, done), (outcome) => {
      this.heard = outcome.kind === 'ANSWERED';
      if (outcome.kind === 'UNAVAILABLE') failed(outcome.why);
    });
  }

  /** Does something once the announcements so far are answered; not at all when the last of them failed, which ends the job. */
  onceHeard(action: () => void): void {
    this.serial.run((done) => {
      if (this.heard) action();
      done({ kind: 'ANSWERED', answer: { kind: 'DONE' } });
    }, () => undefined);
  }
}
