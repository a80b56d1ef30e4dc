/**
 * A job's life as a pure function of its state, what happened, and the time.
 *
 * 1. A message of another generation than the job's changes nothing: its sender is fenced.
 * 2. Nothing is committed before all members have ended with the same state: a divergence is found, never published.
 * 3. Whatever ends a job stops all its members.
 * 4. The membership is fixed: a member that is lost fails its job, by name.
 */
import { dealSeats, type GroupMember, type Seat } from './group';
import { hasEnded, heldWorkers, type FinishReport, type JobFailure, type JobState } from './job-state';

/** What the machine must know of a job besides its state. */
export interface JobFacts {
  readonly job: string;
  readonly replicas: number;
  /** STRICT: members whose numerics fingerprints differ do not share the job. */
  readonly strictNumerics: boolean;
  /** Absent: no limit. */
  readonly maxRuntimeMs?: number;
  readonly rendezvousTimeoutMs: number;
  readonly exportTimeoutMs: number;
}

/** What can happen to a job. */
export type JobInput =
  | { readonly kind: 'START'; readonly generation: number; readonly workers: readonly string[] }
  | { readonly kind: 'JOINED'; readonly worker: string; readonly address: string; readonly fingerprint: string }
  | { readonly kind: 'READY'; readonly worker: string; readonly generation: number }
  | { readonly kind: 'FINISHED'; readonly worker: string; readonly generation: number; readonly report: FinishReport }
  | { readonly kind: 'MODEL_COMMITTED'; readonly worker: string; readonly generation: number }
  | { readonly kind: 'MEMBER_FAILED'; readonly worker: string; readonly generation: number; readonly failure: JobFailure }
  /** What the shell could not carry out for the job. */
  | { readonly kind: 'CLUSTER_FAILED'; readonly failure: JobFailure }
  | { readonly kind: 'WORKER_LOST'; readonly worker: string; readonly detail: string }
  | { readonly kind: 'CANCEL' }
  | { readonly kind: 'TICK' };

/** What the shell must do after a transition, in this order. */
export type JobEffect =
  | { readonly kind: 'START_CHILD'; readonly worker: string }
  | { readonly kind: 'ASSIGN'; readonly worker: string; readonly rank: number; readonly generation: number; readonly members: readonly GroupMember[] }
  | { readonly kind: 'PROCEED'; readonly worker: string }
  | { readonly kind: 'COMMIT_MODEL'; readonly worker: string }
  | { readonly kind: 'STOP_CHILD'; readonly worker: string; readonly reason: string };

/** The outcome of an input: a new state, no change, or a sender that has been overtaken. */
export type Transition =
  | { readonly kind: 'MOVED'; readonly state: JobState; readonly effects: readonly JobEffect[]; readonly detail: string }
  | { readonly kind: 'UNCHANGED' }
  | { readonly kind: 'FENCED'; readonly message: string };

const UNCHANGED: Transition = { kind: 'UNCHANGED' };
const seatNames = (seats: readonly Seat[]): string => seats.map((s) => `rank ${s.rank} (${s.worker})`).join(', ');

/** Applies one input. @throws Error for an input that the shell must never produce (START of a job that is not queued). */
export function transition(facts: JobFacts, state: JobState, input: JobInput, nowMs: number): Transition {
  switch (input.kind) {
    case 'START': return start(facts, state, input, nowMs);
    case 'JOINED': return joined(facts, state, input);
    case 'READY': return ready(facts, state, input, nowMs);
    case 'FINISHED': return finished(facts, state, input, nowMs);
    case 'MODEL_COMMITTED': return committed(facts, state, input);
    case 'MEMBER_FAILED': return stale(facts, state, input) ?? fail(state, input.failure);
    case 'CLUSTER_FAILED': return fail(state, input.failure);
    case 'WORKER_LOST': return lost(state, input);
    case 'CANCEL': return hasEnded(state) ? UNCHANGED : end(state, { kind: 'CANCELLED' }, 'cancelled by a client');
    case 'TICK': return tick(facts, state, nowMs);
  }
}

const seatOf = (state: JobState, worker: string): Seat | undefined => heldWorkers(state).find((s) => s.worker === worker);

function end(from: JobState, state: JobState, detail: string): Transition {
  const effects = heldWorkers(from).map(({ worker }): JobEffect => ({ kind: 'STOP_CHILD', worker, reason: detail }));
  return { kind: 'MOVED', state, effects, detail };
}

const fail = (from: JobState, failure: JobFailure): Transition =>
  hasEnded(from) ? UNCHANGED : end(from, { kind: 'FAILED', failure }, failure.message);

function start(facts: JobFacts, state: JobState, input: Extract<JobInput, { kind: 'START' }>, nowMs: number): Transition {
  if (state.kind !== 'QUEUED') throw new Error(`${facts.job} is ${state.kind}: only a queued job is started`);
  const seats = dealSeats(facts.replicas, input.workers);
  return {
    kind: 'MOVED',
    state: {
      kind: 'RENDEZVOUS', generation: input.generation, seats, deadlineMs: nowMs + facts.rendezvousTimeoutMs,
      phase: { kind: 'STARTING', joined: [], fingerprints: new Map() },
    },
    effects: seats.map(({ worker }) => ({ kind: 'START_CHILD', worker })),
    detail: `starts on ${seatNames(seats)}`,
  };
}

function joined(facts: JobFacts, state: JobState, input: Extract<JobInput, { kind: 'JOINED' }>): Transition {
  const seat = seatOf(state, input.worker);
  if (state.kind !== 'RENDEZVOUS' || state.phase.kind !== 'STARTING' || !seat) {
    return { kind: 'FENCED', message: `${facts.job} does not wait for ${input.worker}` };
  }
  const { phase } = state;
  const other = [...phase.fingerprints].find(([, fingerprint]) => fingerprint !== input.fingerprint);
  if (facts.strictNumerics && other) {
    return fail(state, {
      reason: 'FINGERPRINT_DIFFERS', fault: 'WORKER', worker: input.worker, rank: seat.rank,
      message: `${input.worker} computes other bits than ${other[0]}: its numerics are "${input.fingerprint}", the other's "${other[1]}". `
        + 'Give all workers the same backend, library and CPU, or submit the job with RELAXED numerics',
    });
  }
  const all = [...phase.joined.filter((m) => m.worker !== input.worker), { ...seat, address: input.address }];
  const fingerprints = new Map([...phase.fingerprints, [input.worker, input.fingerprint]]);
  if (all.length < state.seats.length) {
    return { kind: 'MOVED', state: { ...state, phase: { kind: 'STARTING', joined: all, fingerprints } }, effects: [], detail: `${input.worker} has joined` };
  }
  const members = all.sort((a, b) => a.rank - b.rank);
  return {
    kind: 'MOVED',
    state: { ...state, seats: members, phase: { kind: 'CONNECTING', ready: new Set() } },
    effects: members.map(({ worker, rank }) => ({ kind: 'ASSIGN', worker, rank, generation: state.generation, members })),
    detail: `generation ${state.generation}: ${seatNames(members)}`,
  };
}

function stale(facts: JobFacts, state: JobState, input: { readonly worker: string; readonly generation: number }): Transition | undefined {
  if (hasEnded(state)) return { kind: 'FENCED', message: `${facts.job} has ended` };
  const generation = state.kind === 'QUEUED' ? undefined : state.generation;
  if (generation === input.generation && seatOf(state, input.worker)) return undefined;
  return { kind: 'FENCED', message: `${input.worker} speaks for generation ${input.generation} of ${facts.job}, which is at ${generation ?? 'none'}` };
}

const membersOf = (seats: readonly Seat[]): readonly GroupMember[] =>
  seats.map((seat) => {
    if (!('address' in seat)) throw new Error(`${seat.worker} has no address although its group is connected`);
    return seat as GroupMember;
  });

function ready(facts: JobFacts, state: JobState, input: Extract<JobInput, { kind: 'READY' }>, nowMs: number): Transition {
  const fenced = stale(facts, state, input);
  if (fenced) return fenced;
  if (state.kind !== 'RENDEZVOUS' || state.phase.kind !== 'CONNECTING') return UNCHANGED;
  const all = new Set(state.phase.ready).add(input.worker);
  if (all.size < state.seats.length) {
    return { kind: 'MOVED', state: { ...state, phase: { kind: 'CONNECTING', ready: all } }, effects: [], detail: `${input.worker} is connected` };
  }
  return {
    kind: 'MOVED',
    state: {
      kind: 'RUNNING', generation: state.generation, members: membersOf(state.seats), finished: new Map(),
      deadlineMs: facts.maxRuntimeMs === undefined ? Infinity : nowMs + facts.maxRuntimeMs,
    },
    effects: state.seats.map(({ worker }) => ({ kind: 'PROCEED', worker })),
    detail: `runs on ${state.seats.length} ${state.seats.length === 1 ? 'worker' : 'workers'}`,
  };
}

function finished(facts: JobFacts, state: JobState, input: Extract<JobInput, { kind: 'FINISHED' }>, nowMs: number): Transition {
  const fenced = stale(facts, state, input);
  if (fenced) return fenced;
  if (state.kind !== 'RUNNING') return UNCHANGED;
  const reports = new Map([...state.finished, [input.worker, input.report]]);
  if (reports.size < state.members.length) {
    return { kind: 'MOVED', state: { ...state, finished: reports }, effects: [], detail: `${input.worker} has finished its module` };
  }
  const [chief, ...others] = state.members;
  const expected = chief && reports.get(chief.worker);
  if (!chief || !expected) throw new Error(`${facts.job} has no chief`);
  for (const member of others) {
    const report = reports.get(member.worker);
    if (report?.stateDigest === expected.stateDigest && report.steps === expected.steps) continue;
    return fail(state, {
      reason: 'STATE_DIVERGED', fault: 'WORKER', worker: member.worker, rank: member.rank,
      message: `rank ${member.rank} (${member.worker}) ended with state ${report?.stateDigest ?? 'none'} after ${report?.steps ?? 0} steps, `
        + `rank 0 (${chief.worker}) with ${expected.stateDigest} after ${expected.steps}: nothing was committed. `
        + 'A module must not read clocks, files or random numbers of its own outside the keyed ones',
    });
  }
  return {
    kind: 'MOVED',
    state: { kind: 'EXPORTING', generation: state.generation, members: state.members, deadlineMs: nowMs + facts.exportTimeoutMs, stateDigest: expected.stateDigest },
    effects: [{ kind: 'COMMIT_MODEL', worker: chief.worker }],
    detail: `all members ended with state ${expected.stateDigest.slice(0, 12)}; ${chief.worker} commits the model`,
  };
}

function committed(facts: JobFacts, state: JobState, input: Extract<JobInput, { kind: 'MODEL_COMMITTED' }>): Transition {
  const fenced = stale(facts, state, input);
  if (fenced) return fenced;
  if (state.kind !== 'EXPORTING' || seatOf(state, input.worker)?.rank !== 0) return UNCHANGED;
  return end(state, { kind: 'SUCCEEDED' }, 'the model is committed');
}

function lost(state: JobState, input: Extract<JobInput, { kind: 'WORKER_LOST' }>): Transition {
  const seat = seatOf(state, input.worker);
  if (!seat) return UNCHANGED;
  return fail(state, {
    reason: 'WORKER_LOST', fault: 'WORKER', worker: input.worker, rank: seat.rank,
    message: `rank ${seat.rank} (${input.worker}) was lost: ${input.detail}. Submit the job again when the worker is back, or with fewer workers: the bytes are the same`,
  });
}

function tick(facts: JobFacts, state: JobState, nowMs: number): Transition {
  if (state.kind === 'QUEUED' || hasEnded(state) || !('deadlineMs' in state) || nowMs <= state.deadlineMs) return UNCHANGED;
  switch (state.kind) {
    case 'RENDEZVOUS': {
      const { phase } = state;
      const heard = (worker: string): boolean => (phase.kind === 'STARTING' ? phase.joined.some((m) => m.worker === worker) : phase.ready.has(worker));
      const missing = state.seats.filter((s) => !heard(s.worker));
      const what = phase.kind === 'STARTING' ? 'did not start their child process' : 'could not connect to their peers';
      return fail(state, {
        reason: 'RENDEZVOUS_DEADLINE', fault: 'WORKER', ...(missing[0] && { worker: missing[0].worker, rank: missing[0].rank }),
        message: `${seatNames(missing)} ${what} within ${facts.rendezvousTimeoutMs} ms`,
      });
    }
    case 'RUNNING': {
      const waiting = state.members.filter((m) => !state.finished.has(m.worker));
      return fail(state, {
        reason: 'MAX_RUNTIME', fault: 'MODULE',
        message: `the job ran longer than its max_runtime of ${(facts.maxRuntimeMs ?? 0) / 1000} s; ${seatNames(waiting)} had not finished`,
      });
    }
    case 'EXPORTING': {
      const [chief] = state.members;
      return fail(state, {
        reason: 'EXPORT_DEADLINE', fault: 'CLUSTER', ...(chief && { worker: chief.worker, rank: 0 }),
        message: `${chief?.worker ?? 'the chief'} did not commit the model within ${facts.exportTimeoutMs} ms`,
      });
    }
  }
}
