/**
 * A job's life as a pure function of its state, what happened, and the time.
 *
 * 1. A generation's number is never used twice; a message of another generation, or of nobody's, changes nothing.
 * 2. Nothing is committed before all members have ended with the same state: a divergence is found, never published.
 * 3. Whatever ends a job stops all its processes.
 * 4. A member that is lost costs the job that member: the others form the next generation. Only the module's and the
 *    data's faults, and the loss of all workers, more often than allowed, fail it.
 * 5. Every state that waits has a deadline that names whom it waits for.
 * 6. Who leaves or joins in good order costs no step: the generation changes at a boundary.
 */
import { dealSeats } from '../group';
import { barredWorkers, keepOut, liftTimed, type Return } from './bars';
import { end, fail, lossOf } from './end';
import { committed, finished } from './finish';
import { hasEnded, heldWorkers, isStanding, NO_DEFERRAL, type Absence, type JobFailure, type Joiner, type JobState, type StandingState } from './job-state';
import { fencedOff, moved, UNCHANGED, type JobEffect, type JobFacts, type JobInput, type JobNotice, type Transition } from './job-transition';
import { letGo, releasedLost, wantsToLeave } from './leave';
import { assign, regroup, seatNames } from './regroup';
import { resumeFromAnother } from './restart';
import { evictee, lateMembers } from './suspicion';

type Input<Kind extends JobInput['kind']> = Extract<JobInput, { kind: Kind }>;
type Starting = Extract<JobState, { kind: 'STARTING' }>;

/** Applies one input. @throws Error for an input that the shell must never produce (START of a job that is not queued). */
export function transition(facts: JobFacts, state: JobState, input: JobInput, nowMs: number): Transition {
  switch (input.kind) {
    case 'START': return start(facts, state, input, nowMs);
    case 'GROW': return grow(facts, state, input, nowMs);
    case 'JOINED': return joined(facts, state, input, nowMs);
    case 'PREPARED': return prepared(facts, state, input, nowMs);
    case 'READY': return ready(facts, state, input);
    case 'SUSPENDED': return suspended(facts, state, input, nowMs);
    case 'FINISHED': return finished(facts, state, input.report, nowMs);
    case 'MODEL_COMMITTED': return committed(facts, state, input.worker);
    case 'MEMBER_FAILED': return memberFailed(facts, state, input, nowMs);
    case 'CLUSTER_FAILED': return fail(state, input.failure);
    case 'WORKER_LOST': return lost(facts, state, input.worker, input.detail, nowMs);
    case 'WORKER_ABSENT': return absent(facts, state, input, nowMs);
    case 'WORKER_BACK': return back(facts, state, input);
    case 'CHECKPOINT_LOST': return resumeFromAnother(facts, state, input);
    case 'LEAVING': return leaving(facts, state, input.worker, nowMs);
    case 'TAKEN_OVER': return takenOver(facts, state, nowMs);
    case 'CANCEL': return hasEnded(state) ? UNCHANGED : end(state, { kind: 'CANCELLED' }, 'cancelled by a client');
    case 'TICK': return tick(facts, state, input.silentMs ?? new Map(), nowMs);
  }
}

function start(facts: JobFacts, state: JobState, { workers, calls }: Input<'START'>, nowMs: number): Transition {
  if (state.kind !== 'QUEUED') throw new Error(`${facts.job} is ${state.kind}: only a queued job is started`);
  const seats = dealSeats(facts.replicas, workers);
  const endMs = state.endMs === 0 ? (facts.maxRuntimeMs === undefined ? null : nowMs + facts.maxRuntimeMs) : state.endMs;
  return moved(
    { ...state, kind: 'STARTING', endMs, callsAtStart: calls, workers, joined: [], absences: [], deadlineMs: nowMs + facts.rendezvousTimeoutMs },
    `starts on ${seats.map(({ rank, worker }) => `rank ${rank} (${worker})`).join(', ')}`,
    workers.map((worker) => ({ kind: 'START_CHILD', worker })),
  );
}

function grow(facts: JobFacts, state: JobState, { workers }: Input<'GROW'>, nowMs: number): Transition {
  if (state.kind !== 'RUNNING' || state.finished.length > 0) return UNCHANGED;
  const held = heldWorkers(state);
  const room = facts.replicas - held.length;
  const barred = barredWorkers(state, nowMs);
  const fresh = workers.filter((worker) => !held.includes(worker) && !barred.includes(worker)).slice(0, Math.max(0, room));
  if (fresh.length === 0) return UNCHANGED;
  const joiners = fresh.map((worker): Joiner => ({ worker, phase: { kind: 'STARTING' }, deadlineMs: nowMs + facts.prepareTimeoutMs }));
  return moved({ ...state, joiners: [...state.joiners, ...joiners] }, `${fresh.join(', ')} ${fresh.length === 1 ? 'is' : 'are'} to join`, fresh.map((worker) => ({ kind: 'START_CHILD', worker })));
}

const isMember = (state: StandingState, worker: string): boolean => state.members.some((m) => m.worker === worker);

const differs = (worker: string, fingerprint: string, other: string, otherFingerprint: string): string =>
  `${worker} computes other bits than ${other}: its numerics are "${fingerprint}", the other's "${otherFingerprint}". `
  + 'Give all workers the same backend, library and CPU, or submit the job with RELAXED numerics';

function joined(facts: JobFacts, state: JobState, input: Input<'JOINED'>, nowMs: number): Transition {
  const { worker, address, fingerprint } = input;
  if (state.kind === 'STARTING' && state.workers.includes(worker)) return startJoined(facts, state, input, nowMs);
  const joiner = isStanding(state) ? state.joiners.find((j) => j.worker === worker) : undefined;
  if (!isStanding(state) || joiner?.phase.kind !== 'STARTING') return fencedOff(`${facts.job} does not wait for ${worker}`);
  if (facts.strictNumerics && fingerprint !== state.fingerprint) {
    return dropJoiner(state, worker, differs(worker, fingerprint, 'the group', state.fingerprint), 'NEVER', nowMs);
  }
  const next: Joiner = { ...joiner, phase: { kind: 'PREPARING', address } };
  return moved({ ...state, joiners: state.joiners.map((j) => (j.worker === worker ? next : j)) }, `${worker} prepares to join`, [{ kind: 'PREPARE', worker }]);
}

function startJoined(facts: JobFacts, state: Starting, { worker, address, fingerprint }: Input<'JOINED'>, nowMs: number): Transition {
  const other = state.joined.find((one) => one.fingerprint !== fingerprint);
  if (facts.strictNumerics && other) {
    return fail(state, { reason: 'FINGERPRINT_DIFFERS', fault: 'WORKER', worker, rank: state.workers.indexOf(worker), message: differs(worker, fingerprint, other.worker, other.fingerprint) });
  }
  const all = [...state.joined.filter((one) => one.worker !== worker), { worker, address, fingerprint }];
  if (all.length < state.workers.length) return moved({ ...state, joined: all }, `${worker} has joined`);
  const members = dealSeats(facts.replicas, state.workers).map((seat) => ({ ...seat, address: all.find((one) => one.worker === seat.worker)?.address ?? '' }));
  const generation = state.generation + 1;
  return moved(
    {
      kind: 'CONNECTING', restarts: state.restarts, generation, endMs: state.endMs, barred: state.barred, callsAtStart: state.callsAtStart, members, leaving: [], released: [], entering: [], joiners: [], deferral: NO_DEFERRAL, finished: [],
      suspicions: [], absences: state.absences, fingerprint: all[0]?.fingerprint ?? '', ready: [], deadlineMs: nowMs + facts.rendezvousTimeoutMs,
    },
    `generation ${generation}: ${seatNames(members)}`,
    [{ kind: 'FENCE', generation }, ...assign(generation, members, false)],
  );
}

function prepared(facts: JobFacts, state: JobState, { worker }: Input<'PREPARED'>, nowMs: number): Transition {
  const joiner = isStanding(state) ? state.joiners.find((j) => j.worker === worker) : undefined;
  // Said again by one that has been taken in meanwhile.
  if (isStanding(state) && isMember(state, worker)) return UNCHANGED;
  if (!isStanding(state) || !joiner) return fencedOff(`${facts.job} does not wait for ${worker}`);
  if (joiner.phase.kind !== 'PREPARING') return UNCHANGED;
  const next: Joiner = { ...joiner, phase: { kind: 'PREPARED', address: joiner.phase.address } };
  const waiting = { ...state, joiners: state.joiners.map((j) => (j.worker === worker ? next : j)) };
  return takeIn(facts, waiting, nowMs) ?? moved(waiting, `${worker} is ready to join`);
}

/** Takes in whoever is ready, when the group runs. */
function takeIn(facts: JobFacts, state: StandingState, nowMs: number): Transition | undefined {
  if (state.kind !== 'RUNNING' || state.finished.length > 0 || nowMs < state.deferral.untilMs) return undefined;
  const enter = state.joiners.flatMap(({ worker, phase }) => (phase.kind === 'PREPARED' ? [worker] : []));
  if (enter.length === 0) return undefined;
  return regroup(facts, state, { enter, detail: `${enter.join(', ')} ${enter.length === 1 ? 'joins' : 'join'}`, notices: [], failure: { reason: 'WORKER_LOST', fault: 'WORKER', message: 'nobody is left' } }, nowMs);
}

function ready(facts: JobFacts, state: JobState, { worker, generation }: Input<'READY'>): Transition {
  if (!isStanding(state) || generation > state.generation || !heldWorkers(state).includes(worker)) {
    return fencedOff(`${worker} speaks for generation ${generation} of ${facts.job}, which is ${isStanding(state) ? `at ${state.generation}` : state.kind}`);
  }
  if (state.kind !== 'CONNECTING' || generation < state.generation || state.ready.includes(worker)) return UNCHANGED;
  const all = [...state.ready, worker];
  if (all.length < state.members.length) return moved({ ...state, ready: all }, `${worker} is connected`);
  const { ready: _ready, deadlineMs: _deadlineMs, ...standing } = state;
  const absences = state.absences.filter((one) => !state.released.some((gone) => gone.worker === one.worker));
  const running: StandingState = { ...standing, kind: 'RUNNING', released: [], absences, entering: [], deferral: state.entering.length > 0 ? NO_DEFERRAL : state.deferral };
  const detail = `runs on ${state.members.length} ${state.members.length === 1 ? 'worker' : 'workers'}`;
  return moved(running, detail, state.released.map((gone) => ({ kind: 'STOP_CHILD', worker: gone.worker, reason: `${seatNames([gone])} leaves` })));
}

function suspended(facts: JobFacts, state: JobState, input: Input<'SUSPENDED'>, nowMs: number): Transition {
  const { worker, generation, ranks, why, joinDeferred } = input;
  if (!isStanding(state) || !heldWorkers(state).includes(worker)) return fencedOff(`${worker} is no member of ${facts.job}`);
  // Also of one that has been put off meanwhile: it waits again.
  if (state.generation !== generation) return UNCHANGED;
  // Only those that asked for the state: others that enter may have got it in a generation before.
  const putOff = joinDeferred ? state.members.filter((m) => ranks.includes(m.rank) && state.entering.includes(m.worker)).map((m) => m.worker) : [];
  if (putOff.length > 0) {
    return regroup(facts, state, {
      putOff, detail: `${putOff.join(', ')} cannot be given the state at this moment and ${putOff.length === 1 ? 'joins' : 'join'} later`, notices: [],
      failure: { reason: 'WORKER_LOST', fault: 'WORKER', message: why },
    }, nowMs);
  }
  const accused = ranks.flatMap((rank) => state.members.filter((m) => m.rank === rank && m.worker !== worker));
  const fresh = accused.filter((m) => !state.suspicions.some((s) => s.accuser === worker && s.accused === m.worker));
  if (fresh.length === 0) return UNCHANGED;
  const suspicions = [...state.suspicions, ...fresh.map((m) => ({ accuser: worker, accused: m.worker, why, sinceMs: nowMs }))];
  return moved({ ...state, suspicions }, `${worker} cannot go on with ${seatNames(fresh)}: ${why}`);
}

function memberFailed(facts: JobFacts, state: JobState, { worker, failure }: Input<'MEMBER_FAILED'>, nowMs: number): Transition {
  if (hasEnded(state)) return fencedOff(`${facts.job} has ended`);
  if (!heldWorkers(state).includes(worker)) return fencedOff(`${worker} is no member of ${facts.job}`);
  if (isStanding(state) && state.joiners.some((j) => j.worker === worker)) return dropJoiner(state, worker, failure.message, 'LATER', nowMs);
  if (isStanding(state) && state.released.some((one) => one.worker === worker)) return releasedLost(facts, state, worker, failure.message, nowMs);
  if (failure.fault === 'MODULE' || failure.fault === 'DATA' || !isStanding(state)) return fail(state, failure);
  return dropMember(facts, state, worker, failure.message, 'LATER', nowMs, failure);
}

function lost(facts: JobFacts, state: JobState, worker: string, detail: string, nowMs: number): Transition {
  if (state.kind === 'STARTING' && state.workers.includes(worker)) return startLost(facts, state, worker, detail);
  if (!isStanding(state)) return UNCHANGED;
  if (state.joiners.some((j) => j.worker === worker)) return dropJoiner(state, worker, detail, 'WELCOME', nowMs);
  if (state.released.some((one) => one.worker === worker)) return releasedLost(facts, state, worker, detail, nowMs);
  if (!state.members.some((m) => m.worker === worker)) return UNCHANGED;
  return dropMember(facts, state, worker, detail, 'WELCOME', nowMs);
}

function startLost(facts: JobFacts, state: Starting, worker: string, detail: string): Transition {
  const rank = state.workers.indexOf(worker);
  return startFailed(facts, state, lossOf(worker, rank, detail), [{ kind: 'MEMBER_LOST', worker, rank, detail }]);
}

/** A job that could not start waits for workers again, or gives up. */
function startFailed(facts: JobFacts, state: Starting, failure: JobFailure, notices: readonly JobNotice[]): Transition {
  const { restarts, generation, endMs, barred, callsAtStart, workers } = state;
  if (restarts >= facts.maxRestarts) return fail(state, { ...failure, message: `${failure.message}. The job has been restarted ${restarts} of ${facts.maxRestarts} times` });
  return moved(
    { kind: 'QUEUED', restarts: restarts + 1, generation, endMs, barred, callsAtStart },
    `${failure.message}. The job waits for workers again (restart ${restarts + 1} of ${facts.maxRestarts})`,
    workers.map((held) => ({ kind: 'STOP_CHILD', worker: held, reason: failure.message })),
    notices,
  );
}

/** @param again whether the job takes the worker again at once */
function dropMember(facts: JobFacts, state: StandingState, worker: string, detail: string, again: 'WELCOME' | 'LATER', nowMs: number, failure?: JobFailure): Transition {
  const rank = state.members.find((m) => m.worker === worker)?.rank ?? 0;
  const loss = lossOf(worker, rank, detail);
  return regroup(facts, state, {
    leave: [worker], bar: again === 'LATER' ? [worker] : [], failure: failure ?? loss, detail: loss.message,
    notices: [{ kind: 'MEMBER_LOST', worker, rank, detail }],
  }, nowMs);
}

function dropJoiner(state: StandingState, worker: string, detail: string, again: 'WELCOME' | Return, nowMs: number): Transition {
  const barred = again === 'WELCOME' ? state.barred : keepOut(state.barred, [worker], again, nowMs);
  return moved(
    { ...state, joiners: state.joiners.filter((j) => j.worker !== worker), barred, absences: state.absences.filter((a) => a.worker !== worker) },
    `${worker} does not join: ${detail}`,
    [{ kind: 'STOP_CHILD', worker, reason: detail }],
    [{ kind: 'JOINER_DROPPED', worker, detail }],
  );
}

function absent(facts: JobFacts, state: JobState, { worker, detail }: Input<'WORKER_ABSENT'>, nowMs: number): Transition {
  if (!('absences' in state) || !heldWorkers(state).includes(worker) || state.absences.some((a) => a.worker === worker)) return UNCHANGED;
  return moved({ ...state, absences: [...state.absences, { worker, why: detail, untilMs: nowMs + facts.absenceMs }] }, `${worker} is away: ${detail}`);
}

function back(facts: JobFacts, state: JobState, { worker, generation }: Input<'WORKER_BACK'>): Transition {
  if (!('absences' in state) || !heldWorkers(state).includes(worker)) return fencedOff(`${facts.job} goes on without ${worker}`);
  const effects: JobEffect[] = [];
  if (isStanding(state)) {
    const member = state.members.find((m) => m.worker === worker);
    if (member && generation > state.generation) return fencedOff(`${worker} speaks for generation ${generation} of ${facts.job}, which is at ${state.generation}`);
    // What was said to it while it was away is said again.
    if (member && generation < state.generation) effects.push({ kind: 'ASSIGN', worker, rank: member.rank, generation: state.generation, members: state.members, atBoundary: false });
    if (state.released.some((one) => one.worker === worker)) effects.push({ kind: 'RELEASE', worker, generation: state.generation });
    if (state.joiners.some((j) => j.worker === worker && j.phase.kind === 'PREPARING')) effects.push({ kind: 'PREPARE', worker });
    if (state.kind === 'EXPORTING' && state.committer === worker) effects.push({ kind: 'COMMIT_MODEL', worker });
  }
  return moved({ ...state, absences: state.absences.filter((a) => a.worker !== worker) }, `${worker} is back`, effects);
}

function leaving(facts: JobFacts, state: JobState, worker: string, nowMs: number): Transition {
  if (!isStanding(state)) return lost(facts, state, worker, 'it was told to leave', nowMs);
  if (state.joiners.some((j) => j.worker === worker)) return dropJoiner(state, worker, 'it was told to leave', 'WELCOME', nowMs);
  return wantsToLeave(facts, state, worker, nowMs);
}

function takenOver(facts: JobFacts, state: JobState, nowMs: number): Transition {
  if (hasEnded(state)) return UNCHANGED;
  const barred = liftTimed(state.barred, nowMs);
  if (state.kind === 'QUEUED') return barred.every((bar) => state.barred.includes(bar)) ? UNCHANGED : moved({ ...state, barred }, 'a coordinator has taken the job over');
  const absences = heldWorkers(state).map((worker): Absence => ({ worker, why: 'it has not come back since the coordinator did', untilMs: nowMs + facts.absenceMs }));
  const later = 'deadlineMs' in state ? { deadlineMs: nowMs + Math.max(facts.rendezvousTimeoutMs, state.kind === 'EXPORTING' ? facts.exportTimeoutMs : 0) } : {};
  // Times of the process before may be of another clock, and passed while nobody listened: all waits begin anew.
  const waits = isStanding(state) ? {
    joiners: state.joiners.map((joiner) => ({ ...joiner, deadlineMs: nowMs + facts.prepareTimeoutMs })),
    suspicions: state.suspicions.map((suspicion) => ({ ...suspicion, sinceMs: nowMs })),
    deferral: { ...state.deferral, untilMs: nowMs },
  } : {};
  return moved({ ...state, ...later, ...waits, barred, absences }, 'a coordinator has taken the job over and waits for its workers');
}

function tick(facts: JobFacts, state: JobState, silentMs: ReadonlyMap<string, number>, nowMs: number): Transition {
  if (state.kind === 'QUEUED' || hasEnded(state)) return UNCHANGED;
  if (state.endMs !== null && nowMs > state.endMs) return overtime(facts, state);
  const away = state.absences.find(({ untilMs }) => nowMs > untilMs);
  if (away) return lost(facts, state, away.worker, away.why, nowMs);
  if (state.kind === 'STARTING') return nowMs > state.deadlineMs ? startTimedOut(facts, state) : UNCHANGED;
  const slow = state.joiners.find(({ phase, deadlineMs }) => phase.kind !== 'PREPARED' && nowMs > deadlineMs);
  if (slow) return dropJoiner(state, slow.worker, `it was not ready within ${facts.prepareTimeoutMs} ms`, 'LATER', nowMs);
  if (state.suspicions.some(({ sinceMs }) => nowMs - sinceMs >= facts.suspicionMs)) {
    const worker = evictee(state, silentMs);
    const why = state.suspicions.find((s) => s.accused === worker || s.accuser === worker)?.why ?? '';
    // Who is away is not to blame for that its peers miss it.
    const absence = state.absences.find((one) => one.worker === worker);
    if (absence) return dropMember(facts, state, absence.worker, absence.why, 'WELCOME', nowMs);
    if (worker !== undefined) return dropMember(facts, state, worker, `members cannot exchange with it: ${why}`, 'LATER', nowMs);
  }
  switch (state.kind) {
    case 'CONNECTING': {
      if (nowMs <= state.deadlineMs) return UNCHANGED;
      const missing = lateMembers(state, silentMs);
      const detail = `could not connect to ${missing.length === 1 ? 'its' : 'their'} peers in time`;
      // Where nobody got through and nobody is accused, all begin anew and none of them is to blame.
      const blamed = missing.length < state.members.length ? missing : [];
      return regroup(facts, state, {
        leave: missing.map(({ worker }) => worker), bar: blamed.map(({ worker }) => worker), detail: `${seatNames(missing)} ${detail}`,
        failure: { reason: 'RENDEZVOUS_DEADLINE', fault: 'WORKER', message: `${seatNames(missing)} ${detail}`, ...(missing[0] && { worker: missing[0].worker, rank: missing[0].rank }) },
        notices: blamed.map(({ worker, rank }) => ({ kind: 'MEMBER_LOST', worker, rank, detail })),
      }, nowMs);
    }
    case 'RUNNING':
      return letGo(facts, state, nowMs) ?? takeIn(facts, state, nowMs) ?? UNCHANGED;
    case 'EXPORTING': {
      if (nowMs <= state.deadlineMs) return UNCHANGED;
      const rank = state.members.find((m) => m.worker === state.committer)?.rank ?? 0;
      const detail = `it did not commit the model within ${facts.exportTimeoutMs} ms`;
      // Another member has the same model.
      return dropMember(facts, state, state.committer, detail, 'LATER', nowMs, { reason: 'EXPORT_DEADLINE', fault: 'CLUSTER', worker: state.committer, rank, message: `${state.committer}: ${detail}` });
    }
  }
}

function overtime(facts: JobFacts, state: Exclude<JobState, { kind: 'QUEUED' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED' }>): Transition {
  const busy = isStanding(state) ? seatNames(state.members.filter(({ worker }) => !state.finished.some((f) => f.worker === worker))) : state.workers.join(', ');
  return fail(state, { reason: 'MAX_RUNTIME', fault: 'MODULE', message: `the job ran longer than its max_runtime of ${(facts.maxRuntimeMs ?? 0) / 1000} s; ${busy} had not finished` });
}

function startTimedOut(facts: JobFacts, state: Starting): Transition {
  const missing = state.workers.map((worker, rank) => ({ worker, rank })).filter(({ worker }) => !state.joined.some((one) => one.worker === worker));
  const names = missing.map(({ worker, rank }) => `rank ${rank} (${worker})`).join(', ');
  const detail = `did not start ${missing.length === 1 ? 'its' : 'their'} child process within ${facts.rendezvousTimeoutMs} ms`;
  return startFailed(facts, state, { reason: 'RENDEZVOUS_DEADLINE', fault: 'WORKER', ...missing[0], message: `${names} ${detail}` },
    missing.map(({ worker, rank }) => ({ kind: 'MEMBER_LOST', worker, rank, detail })));
}
