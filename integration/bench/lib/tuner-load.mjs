#!/usr/bin/env node
// Clients of a tuner that ask, report and tell, in a process of their own: `node tuner-load.mjs '{"address", "clients", "thinkMs", "rampSeconds", "seconds" | "trials"}'`.
// What happens in the ramp, while everybody comes at once, is not counted.
// Prints {"rpcs", "trials", "seconds", "p50Ms", "p99Ms", "maxMs"} as its last line, and {"progress": trials} now and then.
import { createRequire } from 'node:module';
import { setTimeout } from 'node:timers';
import { setTimeout as delay } from 'node:timers/promises';
import { quantile } from './statistics.mjs';

const require = createRequire(import.meta.url);
const { TunerService } = require('@lockstep/contract');
const { createClient, openChannel } = require('@lockstep/rpc');

const { address, clients, thinkMs = 0, rampSeconds = 0, seconds = Infinity, trials: wanted = Infinity, studySize = 200, clientsAStudy = 10 } = JSON.parse(process.argv[2]);
/** HTTP/2 connections: a client machine has one, and many of them dial a tuner. */
const CHANNELS = 20;
/** Of which the latencies are kept: so many, spread evenly over the run. */
const SAMPLES_MAX = 200_000;

const channels = Array.from({ length: CHANNELS }, () => openChannel(address));
const stubs = channels.map((channel) => createClient(TunerService, channel));
const space = { case: 'searchSpace', value: { parameters: [
  { name: 'lr', kind: { case: 'floatRange', value: { min: 1e-4, max: 0.1, sampling: 2 } } },
  { name: 'units', kind: { case: 'intRange', value: { min: 1n, max: 4096n } } },
] } };

let [rpcs, trials, made, every] = [0, 0, 0, 1];
let latencies = [];
let startedMs = performance.now() + rampSeconds * 1000;
setTimeout(() => {
  [rpcs, trials, latencies, startedMs] = [0, 0, [], performance.now()];
}, rampSeconds * 1000);
const isOver = () => trials >= wanted || performance.now() - startedMs > seconds * 1000;

/** Counts a call, and keeps how long it took unless it waited for others: who asks for a trial when all are given out is answered when the last one has ended. */
async function timed(call, waited = () => false) {
  const sentMs = performance.now();
  const reply = await call();
  if (rpcs++ % every === 0 && !waited(reply)) latencies.push(performance.now() - sentMs);
  if (latencies.length > SAMPLES_MAX) {
    latencies = latencies.filter((_, i) => i % 2 === 0);
    every *= 2;
  }
  return reply;
}

/** Studies follow one another: each group of clients works on one until it is complete. */
async function group(stub, first) {
  for (let left = true; left && !isOver();) {
    const { name } = await stub.createStudy({ studyId: `load-${process.pid}-${made++}`, spec: { space, objectives: [{ metric: 'loss', direction: 1 }], algorithm: { case: 'randomSearch', value: {} }, maxTrials: studySize, seed: BigInt(made) } });
    await Promise.all(Array.from({ length: clientsAStudy }, (_, i) => client(stub, name, `client ${first + i}`)));
  }
}

/** Between two calls, drawn evenly around the mean, so that clients do not march in step. */
const think = () => (thinkMs > 0 ? delay(2 * thinkMs * Math.random()) : undefined);

async function client(stub, study, clientId) {
  while (!isOver()) {
    await think();
    const { outcome } = await timed(() => stub.suggestTrials({ parent: study, clientId, count: 1, maxWait: { seconds: 20n, nanos: 0 } }), (reply) => reply.outcome.case === 'over');
    if (outcome.case === 'over') return;
    const [trial] = outcome.case === 'suggested' ? outcome.value.trials : [];
    if (!trial) continue;
    await think();
    await timed(() => stub.reportMeasurement({ trial: trial.name, clientId, measurement: { epoch: 1, metrics: [{ name: 'loss', value: Math.random() }] } }));
    await think();
    await timed(() => stub.completeTrial({ trial: trial.name, clientId, outcome: { case: 'success', value: {} } }));
    if (++trials % 1000 === 0) console.log(JSON.stringify({ progress: trials }));
  }
}

await Promise.all(Array.from({ length: clients / clientsAStudy }, (_, i) => group(stubs[i % CHANNELS], i * clientsAStudy)));
const took = (performance.now() - startedMs) / 1000;
console.log(JSON.stringify({ rpcs, trials, seconds: took, p50Ms: quantile(latencies, 0.5), p99Ms: quantile(latencies, 0.99), maxMs: quantile(latencies, 1) }));
for (const channel of channels) channel.close();
