/**
 * A coordinator process: the shell around the job machine, as services/coordinator/src has it, over the simulated disk and
 * network. One decision after the other; each is stored before anything of it is carried out.
 */
import {
  admit, barredWorkers, callsToTell, hasEnded, heldWorkers, isStanding, newEntries, reportersOf, takeCheckpoint, transition,
  addressOf, refusalOf, type JobEffect, type JobInput, type JobState, type ProgressPoint,
} from '@lockstep/membership';
import type { LoggedCall } from '../workload/training-state';
import { NAME_TAKEN } from './agent';
import { Announcements } from './announcements';
import { FENCED } from './member-session';
import type { CheckpointReport, MemberMessage, MemberStatement, ProgressEntry } from './messages';
import { DONE, type AgentEnd, type AttachedAgent, type CoordinatorParts, type Done, type MemberEnd, type Outcome } from './coordinator-parts';
import { Serial } from './serial';
import { SessionLeases } from './session-leases';
import { decodeMachine, encodeMachine, type StoredCheckpoint, type StoredJob } from './stored-job';
import { takeLast } from './take-last';

const TICK_MS = 250;
const LEAD_RETRY_MS = 300;
const RENEWALS_A_LEASE = 4;

export class Coordinator {
  private readonly serial = new Serial<Outcome>();
  private readonly agents = new Map<string, AttachedAgent>();
  private readonly sessions = new Map<string, MemberEnd>();
  /** Workers on which the job lost members. */
  private readonly lostOn = new Set<string>();
  private readonly leases: SessionLeases;
  private epoch = 0;
  private state: JobState = { kind: 'CANCELLED' };
  private committed: ProgressPoint | undefined;
  private told: ProgressPoint | undefined;
  private calls: readonly LoggedCall[] = [];
  private checkpoints: readonly StoredCheckpoint[] = [];
  private readonly announcements: Announcements;

  constructor(private readonly parts: CoordinatorParts) {
    this.announcements = new Announcements(parts.process, parts.artifacts, parts.facts.job);
    this.leases = new SessionLeases(parts.leaseMs, () => this.now());
  }

  /** Leads as soon as nobody else does. */
  start(): void {
    const { process, store, leaderLeaseMs } = this.parts;
    const epoch = store.acquire(process);
    if (epoch === undefined) {
      process.after(LEAD_RETRY_MS, () => this.start());
      return;
    }
    this.epoch = epoch;
    process.every(leaderLeaseMs / RENEWALS_A_LEASE, () => {
      if (store.renew(process, epoch)) return true;
      this.stepDown('another coordinator has had the lease since');
      return false;
    });
    this.recover();
  }

  /** Takes up what an earlier process left, and then serves. */
  private recover(): void {
    const { store } = this.parts;
    const { machine, calls, checkpoints } = store.content;
    const { state, committed } = decodeMachine(machine);
    this.state = this.parts.bug === 'GENERATION_USED_TWICE' && 'generation' in state && state.generation > 0 ? { ...state, generation: state.generation - 1 } : state;
    this.committed = committed;
    this.calls = calls;
    this.checkpoints = checkpoints;
    if (hasEnded(state)) return this.serve();
    return this.run((done) => this.apply({ kind: 'TAKEN_OVER' }, done), (outcome) => {
      // Times that another clock told must not be waited for: a process that cannot begin ends, and is started again.
      if (outcome.kind !== 'DONE') return this.stepDown('it could not take the job over');
      if (isStanding(state)) this.announce(state.generation);
      return this.serve();
    });
  }

  private serve(): void {
    const { process, agentPort, memberPort } = this.parts;
    agentPort.listen(process, (end) => this.attach(end));
    memberPort.listen(process, (end) => this.join(end));
    if (hasEnded(this.state)) return;
    process.every(TICK_MS, () => {
      this.tick();
      return true;
    });
  }

  /** A leader that has lost its lease ends: nothing that it has in memory is true. */
  private stepDown(why: string): void {
    this.parts.witness.trace(this.parts.process.name, `ends: ${why}`);
    this.parts.process.kill();
  }

  private attach(end: AgentEnd): void {
    let agent: AttachedAgent | undefined;
    let key = '';
    let lost = false;
    const gone = (why: string): void => {
      this.leases.close(key);
      if (!agent || this.agents.get(agent.worker) !== agent) return;
      const { worker } = agent;
      this.agents.delete(worker);
      this.run((done) => this.agentGone(worker, why, lost, done));
    };
    end.onClosed = gone;
    end.onMessage = (message) => {
      this.leases.heard(key);
      switch (message.kind) {
        case 'REGISTER': {
          const { worker, child } = message;
          if (this.agents.has(worker)) {
            end.close(`${NAME_TAKEN}${worker} is attached already`);
            return;
          }
          const attached: AttachedAgent = { worker, end, child, leaving: false };
          agent = attached;
          this.agents.set(worker, attached);
          key = this.leases.open(worker, (silentMs) => {
            lost = true;
            end.close(`no heartbeat of ${worker}`);
            gone(`no heartbeat of ${worker} for ${silentMs} ms`);
          });
          end.send({ kind: 'REGISTERED' });
          this.run((done) => this.agentAttached(attached, done));
          return;
        }
        case 'HEARTBEAT':
          return;
        case 'CHILD_EXITED':
          if (agent) this.childExited(agent, message.child, message.detail);
          return;
        case 'LEAVING':
          if (!agent) return;
          agent.leaving = true;
          this.input({ kind: 'LEAVING', worker: agent.worker });
      }
    };
  }

  private agentAttached({ worker, child, end }: AttachedAgent, done: Done): void {
    const held = heldWorkers(this.state).includes(worker);
    if (child !== undefined && !held) end.send({ kind: 'STOP_CHILD', child, reason: 'the job goes on without it, or has ended' });
    const next: Done = (outcome) => {
      this.admitAll();
      done(outcome);
    };
    if (held && child === undefined) this.apply({ kind: 'WORKER_LOST', worker, detail: 'its agent came back without its child process' }, next);
    else next(DONE);
  }

  private agentGone(worker: string, detail: string, lost: boolean, done: Done): void {
    // A child works on without its agent, as long as it is heard of.
    if (!heldWorkers(this.state).includes(worker) || (!lost && this.sessions.has(worker))) return done(DONE);
    return this.apply({ kind: lost ? 'WORKER_LOST' : 'WORKER_ABSENT', worker, detail }, done);
  }

  private childExited(agent: AttachedAgent, child: string, detail: string): void {
    if (agent.child !== undefined && agent.child !== child) return;
    agent.child = undefined;
    this.input({ kind: 'WORKER_LOST', worker: agent.worker, detail });
    this.run((done) => {
      this.admitAll();
      done(DONE);
    });
  }

  private join(end: MemberEnd): void {
    let worker: string | undefined;
    let key = '';
    let lost = false;
    const gone = (why: string): void => {
      this.leases.close(key);
      if (worker !== undefined) this.sessionEnded(worker, end, why, lost);
    };
    const refused: Done = (outcome) => {
      if (outcome.kind === 'DONE') return;
      end.close(outcome.kind === 'FENCED' ? `${FENCED}${outcome.message}` : outcome.message);
      gone(outcome.message);
    };
    end.onClosed = gone;
    end.onMessage = (message) => {
      this.leases.heard(key);
      if (message.kind === 'HELLO') {
        const name = message.worker;
        worker = name;
        key = this.leases.open(name, (silentMs) => {
          lost = true;
          end.close(`${FENCED}no heartbeat of ${name}'s child for ${silentMs} ms`);
          gone(`no heartbeat of ${name}'s child for ${silentMs} ms`);
        });
        this.run((done) => this.hello(end, message, done), refused);
      } else if (message.kind !== 'HEARTBEAT' && worker !== undefined) {
        const name = worker;
        this.run((done) => {
          if (hasEnded(this.state)) return done(DONE);
          if (this.sessions.get(name) !== end) return done({ kind: 'FENCED', message: `${name} speaks in a session that is over` });
          return message.kind === 'PROGRESS' ? this.progress(name, message.entries, done) : this.statement(name, message.statement, done);
        }, refused);
      }
    };
  }

  private hello(end: MemberEnd, { worker, child, address, rejoins, generation }: Extract<MemberMessage, { kind: 'HELLO' }>, done: Done): void {
    const before = this.sessions.get(worker);
    const { facts } = this.parts;
    if (hasEnded(this.state)) return done({ kind: 'FENCED', message: `${facts.job} is not running here` });
    const refusal = refusalOf(facts.job, this.state, { worker, child, address, rejoins }, { running: this.agents.get(worker)?.child, hasSession: before !== undefined });
    if (refusal !== undefined) return done({ kind: 'FENCED', message: refusal });
    const known = addressOf(this.state, worker) !== undefined;
    this.sessions.set(worker, end);
    before?.close('another session of the same process has begun');
    const settle: Done = (outcome) => {
      if (outcome.kind !== 'DONE' && this.sessions.get(worker) === end) this.sessions.delete(worker);
      done(outcome);
    };
    const joined: Done = (outcome) => {
      if (outcome.kind !== 'DONE' || known) return settle(outcome);
      return this.apply({ kind: 'JOINED', worker, address, fingerprint: 'sim' }, settle);
    };
    return rejoins ? this.apply({ kind: 'WORKER_BACK', worker, generation }, joined) : joined(DONE);
  }

  private sessionEnded(worker: string, end: MemberEnd, detail: string, lost: boolean): void {
    if (this.sessions.get(worker) !== end) return;
    this.sessions.delete(worker);
    this.input({ kind: lost ? 'WORKER_LOST' : 'WORKER_ABSENT', worker, detail });
  }

  private statement(worker: string, statement: MemberStatement, done: Done): void {
    switch (statement.kind) {
      case 'ready': return this.apply({ kind: 'READY', worker, generation: statement.generation }, done);
      case 'suspended': return this.apply({ ...statement, kind: 'SUSPENDED', worker }, done);
      case 'prepared': return this.apply({ kind: 'PREPARED', worker }, done);
      case 'finished': return this.apply({ kind: 'FINISHED', report: statement.report }, done);
      case 'modelCommitted': return this.apply({ kind: 'MODEL_COMMITTED', worker }, done);
      case 'failed': return this.apply({ kind: 'MEMBER_FAILED', worker, failure: statement.failure }, done);
      case 'checkpoint': return this.checkpoint(statement.checkpoint, done);
    }
  }

  /** A member's progress, stored with the job's new position in one transaction. */
  private progress(worker: string, told: readonly ProgressEntry[], done: Done): void {
    if (!reportersOf(this.state).some((m) => m.worker === worker)) return done({ kind: 'FENCED', message: `${worker} reports progress of a job of which it is no member` });
    const last = told.at(-1);
    const fresh = this.parts.bug === 'LEDGER_NOT_IDEMPOTENT' ? last && { entries: told, committed: last.point } : newEntries(this.committed, told, ({ point }) => point);
    if (!fresh) return done(DONE);
    const { entries, committed } = fresh;
    const calls = entries.flatMap(({ call }) => (call ? [call] : []));
    return this.write((stored) => ({
      ...stored, machine: encodeMachine(this.state, committed), entries: [...stored.entries, ...entries], calls: [...stored.calls, ...calls],
    }), () => {
      this.committed = committed;
      this.calls = [...this.calls, ...calls];
      this.parts.witness.committed(entries);
    }, done);
  }

  private checkpoint({ version, step, stateDigest, calls }: CheckpointReport, done: Done): void {
    const { bug, checkpointKeep } = this.parts;
    if (!isStanding(this.state)) return done(DONE);
    const told: StoredCheckpoint = { version, step, stateDigest, calls, generation: this.state.generation };
    const change = (bug === 'STALE_CHECKPOINT' ? takeLast : takeCheckpoint)(this.checkpoints, told, checkpointKeep);
    if (!change) return done(DONE);
    const { kept, dropped } = change;
    return this.write((stored) => ({ ...stored, checkpoints: kept }), () => {
      this.checkpoints = kept;
      this.parts.witness.checkpointAcknowledged({ version, step, stateDigest, calls });
      for (const one of dropped) this.parts.artifacts.call(this.parts.process, { kind: 'DELETE', version: one.version }, () => undefined);
    }, done);
  }

  private tick(): void {
    this.leases.expire();
    const silent = this.leases.silence();
    const away = heldWorkers(this.state).filter((worker) => !this.sessions.has(worker));
    for (const worker of away) {
      silent.set(worker, Infinity);
      this.run((done) => {
        if (addressOf(this.state, worker) === undefined || this.sessions.has(worker)) return done(DONE);
        return this.apply({ kind: 'WORKER_ABSENT', worker, detail: 'its child process has no session' }, done);
      });
    }
    this.input({ kind: 'TICK', silentMs: silent });
    this.run((done) => {
      this.tellCommitted();
      this.admitAll();
      done(DONE);
    });
  }

  private tellCommitted(): void {
    const { committed } = this;
    if (!committed || committed === this.told || !isStanding(this.state)) return;
    this.told = committed;
    for (const end of this.sessions.values()) end.send({ kind: 'COMMITTED', point: committed });
  }

  private admitAll(): void {
    const { workers: { min, max }, facts } = this.parts;
    const free = [...this.agents.values()].filter(({ child, leaving }) => child === undefined && !leaving).map(({ worker }) => worker).sort();
    const barred = barredWorkers(this.state, this.now());
    if (this.state.kind === 'QUEUED') {
      const [admission] = admit([{ job: facts.job, minWorkers: min, maxWorkers: max, barred, avoided: [...this.lostOn] }], free);
      if (admission) this.run((done) => (this.state.kind === 'QUEUED' ? this.apply({ kind: 'START', workers: admission.workers, calls: { resumed: this.checkpoints[0]?.calls ?? 0, stored: this.calls.length } }, done) : done(DONE)));
    } else if (this.state.kind === 'RUNNING') {
      const room = max - heldWorkers(this.state).length;
      const fresh = free.filter((worker) => !barred.includes(worker)).slice(0, Math.max(0, room));
      if (fresh.length > 0) this.input({ kind: 'GROW', workers: fresh });
    }
  }

  private input(input: JobInput): void {
    this.run((done) => this.apply(input, done));
  }

  private apply(input: JobInput, done: Done): void {
    const { facts, witness, process } = this.parts;
    const result = transition(facts, this.state, input, this.now());
    if (result.kind === 'UNCHANGED') return done(DONE);
    if (result.kind === 'FENCED') return done({ kind: 'FENCED', message: result.message });
    const { state, effects, notices, detail } = result;
    return this.write((stored) => ({ ...stored, machine: encodeMachine(state, this.committed) }), () => {
      const before = this.state;
      this.state = state;
      witness.trace(process.name, `${input.kind}: ${state.kind} ${detail}`);
      witness.stored(state);
      for (const notice of notices) if (notice.kind === 'MEMBER_LOST') this.lostOn.add(notice.worker);
      for (const notice of notices) if (notice.kind === 'MEMBER_LOST' || notice.kind === 'JOINER_DROPPED') witness.lost(notice.worker, notice.detail);
      for (const effect of effects) this.carryOut(effect);
      if (hasEnded(state) && state.kind !== 'SUCCEEDED' && isStanding(before)) this.announce(before.generation + 1);
    }, done);
  }

  private carryOut(effect: JobEffect): void {
    const { facts, newChild, witness } = this.parts;
    if (effect.kind === 'FENCE') return this.announce(effect.generation);
    const { worker } = effect;
    const session = this.sessions.get(worker);
    const agent = this.agents.get(worker);
    switch (effect.kind) {
      case 'START_CHILD':
        if (!agent) return this.input({ kind: 'WORKER_LOST', worker, detail: 'its agent left before it could start its child' });
        agent.child = newChild();
        return agent.end.send({ kind: 'START_CHILD', child: agent.child });
      case 'PREPARE':
        return session?.send({ kind: 'PREPARE', calls: callsToTell(this.state, this.calls) });
      case 'ASSIGN': {
        const { generation, rank, members, atBoundary } = effect;
        const checkpoint = this.checkpoints[0]?.version ?? '';
        const assignment = { generation, rank, members, replicas: facts.replicas, checkpoint, committed: this.committed, atBoundary };
        witness.assigned(assignment);
        return session?.send({ kind: 'ASSIGNMENT', assignment });
      }
      case 'RELEASE':
        return session?.send({ kind: 'RELEASE', generation: effect.generation });
      case 'COMMIT_MODEL': {
        const generation = isStanding(this.state) ? this.state.generation : 0;
        // Only when older generations are fenced off.
        return this.announcements.onceHeard(() => this.sessions.get(worker)?.send({ kind: 'COMMIT_MODEL', generation }));
      }
      case 'STOP_CHILD':
        this.sessions.delete(worker);
        session?.send({ kind: 'ABORT', reason: effect.reason });
        session?.close(`${FENCED}${effect.reason}`);
        if (agent?.child !== undefined) agent.end.send({ kind: 'STOP_CHILD', child: agent.child, reason: effect.reason });
    }
  }

  private announce(generation: number): void {
    this.announcements.announce(generation, (why) => {
      this.input({ kind: 'CLUSTER_FAILED', failure: { reason: 'ARTIFACT_UNAVAILABLE', fault: 'CLUSTER', message: `the artifact service did not take note of generation ${generation}: ${why}` } });
    });
  }

  private write(change: (stored: StoredJob) => StoredJob, adopt: () => void, done: Done): void {
    const { store, process } = this.parts;
    store.write(process, this.epoch, change, (outcome) => {
      switch (outcome.kind) {
        case 'STORED':
          adopt();
          return done(DONE);
        case 'DISK_ERROR':
          return done({ kind: 'NOT_STORED', message: 'the database does not answer' });
        case 'LEASE_LOST':
          return this.stepDown('its lease is over');
      }
    });
  }

  private run(task: (done: Done) => void, settled: Done = () => undefined): void {
    this.serial.run(task, settled);
  }

  private now(): number {
    return this.parts.process.nowMs();
  }
}
