import { refusalOf, type Hello, type KnownProcess } from './hello';
import { transition } from './job-machine';
import { QUEUED, type JobState } from './job-state';
import type { JobFacts } from './job-transition';

const facts: JobFacts = {
  job: 'jobs/j', replicas: 4, strictNumerics: true, maxRestarts: 0, rendezvousTimeoutMs: 1, regroupTimeoutMs: 1, exportTimeoutMs: 1, prepareTimeoutMs: 1, absenceMs: 1, suspicionMs: 1, joinRetryMs: 1,
};
const run = (state: JobState, ...inputs: readonly Parameters<typeof transition>[2][]): JobState => inputs.reduce((before, input) => {
  const result = transition(facts, before, input, 0);
  return result.kind === 'MOVED' ? result.state : before;
}, state);

const STARTING = run(QUEUED, { kind: 'START', workers: ['a'], calls: { resumed: 0, stored: 0 } });
const CONNECTING = run(STARTING, { kind: 'JOINED', worker: 'a', address: 'a:1', fingerprint: '' });
const hello: Hello = { worker: 'a', address: 'a:1', child: 'c1', rejoins: false };
const known: KnownProcess = { running: 'c1', hasSession: false };

test.each<[string, JobState, Partial<Hello>, Partial<KnownProcess>, RegExp | undefined]>([
  ['the process that was started', STARTING, {}, {}, undefined],
  ['one that comes back', CONNECTING, { rejoins: true }, {}, undefined],
  ['one that comes back before its old session is over', CONNECTING, { rejoins: true }, { hasSession: true }, undefined],
  ['one whose agent is away', CONNECTING, { rejoins: true }, { running: undefined }, undefined],
  ['one that the agent does not run any more', CONNECTING, { rejoins: true, child: 'c0' }, {}, /by another process \(c1\): this one \(c0\) must stop/],
  ['one that listens elsewhere', CONNECTING, { rejoins: true, address: 'a:9' }, { running: undefined }, /at a:1\): this one \(at a:9\) must stop/],
  ['a second one beside the first', STARTING, { address: 'a:9' }, { hasSession: true }, /has joined jobs\/j already/],
])('%s', (_who, state, less, besides, refusal) => {
  const found = refusalOf('jobs/j', state, { ...hello, ...less }, { ...known, ...besides });
  if (refusal) expect(found).toMatch(refusal);
  else expect(found).toBeUndefined();
});
