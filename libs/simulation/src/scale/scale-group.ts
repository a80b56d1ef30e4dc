/** The members of a large job without a data plane: a generation stands when all have formed it, and its steps take as long as they are said to take. */
import type { VirtualTime } from '../world/virtual-time';
import type { Assignment } from '../cluster/messages';
import type { ScaleMember } from './scale-member';

export interface ScaleGroupSettings {
  readonly steps: number;
  readonly stepMs: number;
  /** From the last member's assignment until all are connected and equal. */
  readonly formMs: number;
}

export class ScaleGroup {
  /** Steps that all have applied. */
  steps = 0;
  private generation = 0;
  private members: ScaleMember[] = [];

  constructor(private readonly time: VirtualTime, private readonly settings: ScaleGroupSettings) {}

  /** A member has been assigned to a generation. */
  form(member: ScaleMember, { generation, members }: Assignment): void {
    if (generation > this.generation) {
      this.generation = generation;
      this.members = [];
    }
    if (generation < this.generation) return;
    this.members.push(member);
    if (this.members.length === members.length) this.time.after(this.settings.formMs, () => this.begin(generation));
  }

  private begin(generation: number): void {
    if (generation !== this.generation) return;
    for (const member of this.members) member.equal(generation);
    this.time.after(this.settings.stepMs, () => this.step(generation));
  }

  private step(generation: number): void {
    if (generation !== this.generation) return;
    // Who is gone contributes nothing, and the others hold until they are assigned anew.
    if (this.members.some(({ alive }) => !alive)) return;
    this.steps++;
    const { steps, settings } = this;
    for (const member of this.members) member.applied(steps);
    if (steps < settings.steps) this.time.after(settings.stepMs, () => this.step(generation));
    else for (const member of this.members) member.finish(steps);
  }
}
