// A process that is as many workers and members to a coordinator as it is told: sessions with heartbeats, and chiefs that report steps.
// usage: coordinator-load.mjs '{"coordinator", "module", "examples", "jobs", "workersPerJob", "seconds", "reportMs"}'; prints one line of JSON.
import { createRequire } from 'node:module';
import { setInterval } from 'node:timers';
import { quantile } from './statistics.mjs';

const require = createRequire(import.meta.url);
const { create } = require('@bufbuild/protobuf');
const { AgentMessageSchema, MemberMessageSchema, MemberReadySchema, ProgressEntrySchema, SessionService, StepsCommittedSchema } = require('@lockstep/contract');
const { CoordinatorClient, toProgressPoint } = require('@lockstep/client');
const { AsyncQueue, createClient, openChannel } = require('@lockstep/rpc');

const { coordinator, module, examples, jobs, workersPerJob, seconds, reportMs, version } = JSON.parse(process.argv[2]);
const HEARTBEAT_MS = 500;
const LIMIT = 10_000;
const SETTLE_MS = 15_000;

const acknowledgedMs = [];
let [sessions, reports, running, measuring] = [0, 0, 0, false];

/** A session with its heartbeat, begun at a moment of its own: a thousand workers do not beat together. */
function open(call, schema, first, obey) {
  const channel = openChannel(coordinator);
  const outgoing = new AsyncQueue(LIMIT, 'a session');
  const say = (message, generation = 0n) => outgoing.push(create(schema, { message, ...(schema === MemberMessageSchema && { generation }) }));
  say(first);
  setTimeout(() => setInterval(() => say({ case: 'heartbeat', value: {} }), HEARTBEAT_MS), Math.random() * HEARTBEAT_MS);
  sessions++;
  (async () => {
    for await (const { command, generation } of createClient(SessionService, channel)[call](outgoing)) obey(command, say, generation);
    throw new Error(`a session of ${call} ended`);
  })().catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
}

/** The chief of a job reports a step now and then, and measures until it is told that the step is stored. */
function report(say, generation) {
  let [step, saidMs] = [0, 0];
  const next = () => {
    saidMs = performance.now();
    const point = toProgressPoint({ kind: 'STEP', call: 0, epoch: 0, step });
    const value = create(StepsCommittedSchema, { position: { call: 0, epoch: 0, phase: 1, step }, steps: 1, rows: 64n, metrics: [{ name: 'loss', value: 1 / (step + 1) }], ledger: { records: 64n, sum: BigInt(step) } });
    say({ case: 'progress', value: { entries: [create(ProgressEntrySchema, { point, entry: { case: 'step', value } })] } }, generation);
    reports++;
  };
  setTimeout(next, Math.random() * reportMs);
  return (point) => {
    if (point.step !== step) return;
    if (measuring) acknowledgedMs.push(performance.now() - saidMs);
    step++;
    // Jobs are independent: no two have steps of the same length, so that what one pause has brought together parts again.
    setTimeout(next, Math.max(0, reportMs * (0.75 + Math.random() / 2) - (performance.now() - saidMs)));
  };
}

function member(job, worker, child, token) {
  let acknowledged;
  open('join', MemberMessageSchema, { case: 'hello', value: { job, worker, child, token, version, exchangeAddress: `127.0.0.1:${worker.length + sessions}`, fingerprint: { canonical: 'load' } } }, (command, say, generation) => {
    if (command.case === 'assignment' && command.value.generation) {
      say({ case: 'ready', value: create(MemberReadySchema) }, generation);
      running++;
      if (command.value.rank === 0) acknowledged = report(say, generation);
    } else if (command.case === 'committed' && command.value.point) acknowledged?.(command.value.point);
  });
}

const worker = (i) => `workers/load-${i}`;
for (let i = 0; i < jobs * workersPerJob; i++) {
  open('attach', AgentMessageSchema, { case: 'register', value: { worker: worker(i), host: '127.0.0.1', pid: 1, version, fingerprint: { canonical: 'load' } } }, (command) => {
    if (command.case === 'startChild') member(command.value.job, worker(i), command.value.child, command.value.token);
  });
}

const until = async (reached) => { while (!reached()) await new Promise((resolve) => { setTimeout(resolve, 50); }); };
const client = new CoordinatorClient(coordinator);
for (let i = 0; i < jobs; i++) {
  await client.submit({ module, examples: [examples], output: `artifacts/load-${i}`, workers: { min: workersPerJob, max: workersPerJob }, replicas: workersPerJob });
}
await until(() => running === jobs * workersPerJob);
console.log(JSON.stringify({ running }));
// The burst of a hundred jobs that begin at once is over before the measurement begins.
await new Promise((resolve) => { setTimeout(resolve, SETTLE_MS); });
measuring = true;
const [fromMs, fromReports] = [performance.now(), reports];
await new Promise((resolve) => { setTimeout(resolve, seconds * 1000); });
const elapsedS = (performance.now() - fromMs) / 1000;
const [p50Ms, p99Ms, maxMs] = [0.5, 0.99, 1].map((q) => quantile(acknowledgedMs, q));
process.stdout.write(`${JSON.stringify({ sessions, p50Ms, p99Ms, maxMs, reportsPerSecond: (reports - fromReports) / elapsedS })}\n`, () => process.exit(0));
