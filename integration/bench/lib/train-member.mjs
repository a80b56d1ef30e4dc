// One of our processes that train the MLP 784-512-512-10 together, as a contender: `node train-member.mjs '{"rank", "addresses", "replicas", "rows"}'`.
// It does what a job's child does between its assignment and its report: backend, exchange, group, installTraining, model.fit.
// A measurement of n runs one epoch of n steps and gives its milliseconds.
import { createRequire } from 'node:module';
import { serveContender } from './contender.mjs';

const require = createRequire(import.meta.url);
const { selectBackend } = require('@lockstep/backend');
const { createExchange } = require('@lockstep/exchange');
const { LocalCollective } = require('@lockstep/reduction');
const { installTraining } = require('@lockstep/training');

const WARM_UP_STEPS = 10;

/** rank: own; addresses: of the exchanges of all members, by rank; replicas: V; rows: of the global batch */
const { rank, addresses, replicas, rows } = JSON.parse(process.argv[2]);
const worldSize = addresses.length;

async function join() {
  if (worldSize === 1) return new LocalCollective(replicas);
  const exchange = await createExchange({ port: Number(addresses[rank].split(':').at(-1)) });
  const bound = (index) => Math.floor((index * replicas) / worldSize);
  return exchange.configure({
    job: 'jobs/bench', generation: 1n, rank, token: Buffer.from('bench'), replicas,
    members: addresses.map((address, i) => ({ rank: i, address, range: { from: bound(i), to: bound(i + 1) } })),
  });
}

function buildModel(tf) {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: 512, inputShape: [784], activation: 'relu' }),
      tf.layers.dense({ units: 512, activation: 'relu' }),
      tf.layers.dense({ units: 10, activation: 'softmax' }),
    ],
  });
  model.compile({ optimizer: tf.train.sgd(0.01), loss: 'sparseCategoricalCrossentropy' });
  return model;
}

/** Where a step's time goes, over the steps of the last measurement: told on stderr when LOCKSTEP_BENCH_PHASES is set. */
class Phases {
  #sums = {};
  #steps = 0;

  add({ durationsMs }) {
    this.#steps++;
    for (const [phase, ms] of Object.entries(durationsMs)) this.#sums[phase] = (this.#sums[phase] ?? 0) + ms;
  }

  flush() {
    const means = Object.entries(this.#sums).map(([phase, ms]) => `${phase} ${(ms / this.#steps).toFixed(2)}`);
    process.stderr.write(`rank ${rank}, ms a step: ${means.join(', ')}\n`);
    this.#sums = {};
    this.#steps = 0;
  }
}

const { tf, libraryVersion } = await selectBackend(process.env, { mathThreads: 1 });
const phases = process.env.LOCKSTEP_BENCH_PHASES ? new Phases() : undefined;
installTraining(tf, { seed: 1, collective: await join(), observer: phases && { onStep: (step) => { phases.add(step); } } });
const model = buildModel(tf);
const data = new Map();

/** Rows for n steps, made once: making them is not measured. */
function rowsFor(steps) {
  if (!data.has(steps)) {
    const count = steps * rows;
    data.set(steps, { x: tf.randomNormal([count, 784], 0, 1, 'float32', 1), y: tf.tidy(() => tf.randomUniform([count, 1], 0, 10, 'float32', 2).floor()) });
  }
  return data.get(steps);
}

async function train(steps) {
  const { x, y } = rowsFor(steps);
  const startedAt = performance.now();
  const { history } = await model.fit(x, y, { batchSize: rows, epochs: 1, shuffle: false, verbose: 0 });
  const ms = performance.now() - startedAt;
  if (!Number.isFinite(history.loss[0])) throw new Error(`the loss is ${history.loss[0]}`);
  phases?.flush();
  return ms;
}

await train(WARM_UP_STEPS);
await serveContender(`TensorFlow ${libraryVersion}`, train);
process.exit(0); // the exchange thread of a group would hold the process
