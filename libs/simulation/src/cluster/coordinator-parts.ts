import type { JobFacts } from '@lockstep/membership';
import type { Witness } from '../checks/witness';
import type { End, Port } from '../world/connection';
import type { DurableStore } from '../world/durable-store';
import type { SimProcess } from '../world/sim-process';
import type { UnaryService } from '../world/unary-service';
import type { ArtifactAnswer, ArtifactRequest } from './artifact-service';
import type { PlantedBug } from './bugs';
import type { AgentCommand, AgentMessage, MemberCommand, MemberMessage } from './messages';
import type { StoredJob } from './stored-job';

/** What a coordinator process runs on. */
export interface CoordinatorParts {
  readonly process: SimProcess;
  readonly store: DurableStore<StoredJob>;
  readonly agentPort: Port<AgentMessage, AgentCommand>;
  readonly memberPort: Port<MemberMessage, MemberCommand>;
  readonly artifacts: UnaryService<ArtifactRequest, ArtifactAnswer>;
  readonly facts: JobFacts;
  readonly leaseMs: number;
  readonly leaderLeaseMs: number;
  readonly workers: { readonly min: number; readonly max: number };
  readonly checkpointKeep: number;
  readonly newChild: () => string;
  readonly bug: PlantedBug | undefined;
  readonly witness: Witness;
}

/** The coordinator's end of an agent's session. */
export type AgentEnd = End<AgentMessage, AgentCommand>;
/** The coordinator's end of a member's session. */
export type MemberEnd = End<MemberMessage, MemberCommand>;

/** An agent with an open session. */
export interface AttachedAgent {
  readonly worker: string;
  readonly end: AgentEnd;
  child: string | undefined;
  leaving: boolean;
}

/** What became of a task: the sender of a message is told when it was refused or could not be stored. */
export type Outcome = { readonly kind: 'DONE' } | { readonly kind: 'FENCED' | 'NOT_STORED'; readonly message: string };
export type Done = (outcome: Outcome) => void;

export const DONE: Outcome = { kind: 'DONE' };
