/** From one generation to the next. */
import { dealSeats, type GroupMember } from '../group';
import { keepOut } from './bars';
import { finishIfAll } from './finish';
import type { JobFailure, Joiner, Standing, StandingState } from './job-state';
import { moved, type JobEffect, type JobFacts, type JobNotice, type Transition } from './job-transition';
import { restart } from './restart';

/** Longest that joiners wait for their next try. */
const MAX_JOIN_RETRY_MS = 60_000;

/** A change of the membership, and why. */
export interface Change {
  /** Members that go at once, whatever the reason. */
  readonly leave?: readonly string[];
  /** Members that go at the next boundary. */
  readonly release?: readonly string[];
  /** Joiners that are taken in. */
  readonly enter?: readonly string[];
  /** Members that entered and have no state yet: they wait again. */
  readonly putOff?: readonly string[];
  /** Workers that the job does not take again for a while. */
  readonly bar?: readonly string[];
  /** What the last member's loss means, if none is left. */
  readonly failure: JobFailure;
  readonly detail: string;
  readonly notices: readonly JobNotice[];
}

export const seatNames = (members: readonly GroupMember[]): string => members.map(({ rank, worker }) => `rank ${rank} (${worker})`).join(', ');

const addressOf = ({ phase }: Joiner): string => (phase.kind === 'STARTING' ? '' : phase.address);

/**
 * Forms the next generation from those who stay and those who come. Where nobody is gone already, members enter it at a
 * boundary, so that no step is done again.
 */
export function regroup(facts: JobFacts, state: StandingState, change: Change, nowMs: number): Transition {
  const { leave = [], release = [], enter = [], putOff = [], bar = [] } = change;
  const barred = keepOut(state.barred, bar, 'LATER', nowMs);
  const stay = state.members.filter(({ worker }) => !leave.includes(worker) && !release.includes(worker) && !putOff.includes(worker));
  const released = state.members.filter(({ worker }) => release.includes(worker));
  const atBoundary = state.kind === 'RUNNING' && leave.length === 0 && putOff.length === 0;
  // The boundary that others were to go at will not come.
  const gone = [...state.members.filter(({ worker }) => leave.includes(worker)), ...state.released].map(({ worker }) => worker);
  const stop = gone.map((worker): JobEffect => ({ kind: 'STOP_CHILD', worker, reason: change.detail }));
  // Nobody exchanges any more: the one who commits goes on as it is.
  if (state.kind === 'EXPORTING' && stay.some(({ worker }) => worker === state.committer)) {
    const away = state.absences.filter(({ worker }) => !gone.includes(worker));
    return moved({ ...state, barred, members: stay, released: [], leaving: state.leaving.filter((worker) => !gone.includes(worker)), absences: away, suspicions: [] }, change.detail, stop, change.notices);
  }
  // A state that is on its way to those who enter is lost with those who hold it.
  const holders = stay.filter(({ worker }) => !state.entering.includes(worker));
  if (holders.length === 0) return restart(facts, { ...state, barred }, change);
  const newcomers = state.joiners.filter(({ worker }) => enter.includes(worker));
  const addresses = new Map([...stay.map(({ worker, address }) => [worker, address] as const), ...newcomers.map((joiner) => [joiner.worker, addressOf(joiner)] as const)]);
  const members = dealSeats(facts.replicas, [...addresses.keys()]).map((seat) => ({ ...seat, address: addresses.get(seat.worker) ?? '' }));
  const waiting = state.members.filter(({ worker }) => putOff.includes(worker))
    .map(({ worker, address }): Joiner => ({ worker, phase: { kind: 'PREPARED', address }, deadlineMs: nowMs + facts.prepareTimeoutMs }));
  const { tries } = state.deferral;
  const deferral = putOff.length === 0 ? state.deferral : { tries: tries + 1, untilMs: nowMs + Math.min(MAX_JOIN_RETRY_MS, facts.joinRetryMs * 2 ** tries) };
  const generation = state.generation + 1;
  const standing: Standing = {
    restarts: state.restarts, generation, endMs: state.endMs, barred, callsAtStart: state.callsAtStart, fingerprint: state.fingerprint, members,
    leaving: state.leaving.filter((worker) => addresses.has(worker)), released,
    // Who has not got the state yet still has none.
    entering: [...state.entering.filter((worker) => addresses.has(worker)), ...newcomers.map(({ worker }) => worker)],
    joiners: [...state.joiners.filter(({ worker }) => !enter.includes(worker)), ...waiting],
    deferral,
    finished: state.finished.filter(({ worker }) => addresses.has(worker)),
    suspicions: [],
    absences: state.absences.filter(({ worker }) => !gone.includes(worker)),
  };
  const fence: JobEffect = { kind: 'FENCE', generation };
  const notices: JobNotice[] = [...change.notices, ...newcomers.map(({ worker }): JobNotice => ({ kind: 'MEMBER_JOINED', worker, rank: members.find((m) => m.worker === worker)?.rank ?? 0 }))];
  // All who are left have finished: there is nothing to exchange any more.
  const finished = finishIfAll(facts, { kind: 'RUNNING', ...standing }, nowMs);
  if (finished?.kind === 'MOVED') return { ...finished, effects: [...stop, fence, ...finished.effects], notices: [...notices, ...finished.notices] };
  return moved(
    { kind: 'CONNECTING', ...standing, ready: [], deadlineMs: nowMs + facts.regroupTimeoutMs },
    `${change.detail}: generation ${generation} is ${seatNames(members)}`,
    [...stop, fence, ...assign(generation, members, atBoundary), ...released.map(({ worker }): JobEffect => ({ kind: 'RELEASE', worker, generation }))], notices,
  );
}

export const assign = (generation: number, members: readonly GroupMember[], atBoundary: boolean): readonly JobEffect[] =>
  members.map(({ worker, rank }) => ({ kind: 'ASSIGN', worker, rank, generation, members, atBoundary }));
