// Trains the MLP 784-512-512-10 at batch 128 by SGD through model.fit, as one contender: `node mlp-contender.mjs <kind>`.
// A measurement of n runs one epoch of n steps and gives milliseconds a step.
import { createRequire } from 'node:module';
import path from 'node:path';
import { serveContender } from './contender.mjs';

const require = createRequire(import.meta.url);
const BATCH_ROWS = 128;
const WARM_UP_STEPS = 3;

/** Each kind makes TensorFlow.js ready and says what it is. */
const KINDS = {
  'native-adopted': async () => {
    const selected = await selectOurs('tensorflow');
    const { installTraining } = require('@lockstep/training');
    const { LocalCollective } = require('@lockstep/reduction');
    installTraining(selected.tf, { seed: 1, collective: new LocalCollective(1) });
    return { tf: selected.tf, about: `adopted fit, V=1, ${selected.libraryVersion}` };
  },
  'native-plain': async () => {
    const tf = require('@tensorflow/tfjs-node');
    return { tf, about: `plain fit, tfjs-node ${tf.version['tfjs-node']}` };
  },
  'wasm-ours': async () => {
    const selected = await selectOurs('wasm');
    return { tf: selected.tf, about: `plain fit, ${selected.instructionSet}, products transpose first` };
  },
  'wasm-stock': async () => {
    const tf = require('@tensorflow/tfjs');
    const wasm = require('@tensorflow/tfjs-backend-wasm');
    wasm.setWasmPaths(path.join(path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm')), path.sep));
    if (!await tf.setBackend('wasm')) throw new Error('the stock wasm backend does not load');
    return { tf, about: `plain fit, tfjs-backend-wasm ${wasm.version_wasm}` };
  },
};

const selectOurs = (name) => require('@lockstep/backend').selectBackend({ ...process.env, LOCKSTEP_BACKEND: name }, { mathThreads: 1 });

function buildModel(tf) {
  const dense = (units, options) => tf.layers.dense({ units, kernelInitializer: tf.initializers.glorotUniform({ seed: units }), ...options });
  const model = tf.sequential({
    layers: [dense(512, { inputShape: [784], activation: 'relu' }), dense(512, { activation: 'relu' }), dense(10, { activation: 'softmax' })],
  });
  model.compile({ optimizer: tf.train.sgd(0.01), loss: 'categoricalCrossentropy' });
  return model;
}

const kind = process.argv[2];
if (!Object.hasOwn(KINDS, kind)) throw new Error(`unknown kind ${kind}; the kinds are ${Object.keys(KINDS).join(', ')}`);
const { tf, about } = await KINDS[kind]();
const model = buildModel(tf);
const batches = new Map();

/** Rows for n steps, made once: drawing them is not measured. */
function rowsFor(steps) {
  if (!batches.has(steps)) {
    const rows = steps * BATCH_ROWS;
    batches.set(steps, { x: tf.randomUniform([rows, 784], 0, 1, 'float32', 1), y: tf.oneHot(tf.tidy(() => tf.randomUniform([rows], 0, 10, 'float32', 2).toInt()), 10).toFloat() });
  }
  return batches.get(steps);
}

async function train(steps) {
  const { x, y } = rowsFor(steps);
  const startedAt = performance.now();
  const history = await model.fit(x, y, { batchSize: BATCH_ROWS, epochs: 1, shuffle: false, verbose: 0 });
  const ms = (performance.now() - startedAt) / steps;
  if (!Number.isFinite(history.history.loss[0])) throw new Error(`the loss is ${history.history.loss[0]}`);
  return ms;
}

await train(WARM_UP_STEPS);
await serveContender(about, train);
