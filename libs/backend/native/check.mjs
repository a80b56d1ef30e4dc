// Does the installed addon load and compute? Asked in a child process: what is wrong may kill it (a CPU without AVX, a library of
// another libc).
import { describeOutcome, runCommand } from './command.mjs';
import { ADDON_PACKAGE, TENSORFLOW_VERSION } from './pins.mjs';
import { NativeProblem } from './problem.mjs';

const CHECK_TIMEOUT_MS = 60_000;
const PROBE = `
  const util = require('node:util');
  util.isNullOrUndefined ??= (value) => value === null || value === undefined; // tfjs-node calls it; Node 23 dropped it
  let tf;
  try {
    tf = require(${JSON.stringify(ADDON_PACKAGE.name)});
  } catch (error) {
    console.error(error.message.split('\\n', 1)[0]);
    process.exit(1);
  }
  const sum = tf.matMul(tf.ones([8, 8]), tf.ones([8, 8])).sum().dataSync()[0];
  const { TF_Version } = tf.backend().binding;
  console.log(JSON.stringify({ sum, tensorflow: TF_Version, backend: tf.getBackend(), gpu: tf.backend().isUsingGpuDevice }));
`;

/**
 * Loads the addon in a child process and multiplies two matrices.
 * @returns {Promise<{tensorflow: string, gpu: boolean}>}
 */
export async function checkAddon(packageDir, env) {
  const outcome = await runCommand(process.execPath, ['-e', PROBE], {
    cwd: packageDir, env: { ...env, TF_CPP_MIN_LOG_LEVEL: '2' }, timeoutMs: CHECK_TIMEOUT_MS,
  });
  if (outcome.kind !== 'exited' || outcome.code !== 0) {
    const hint = outcome.kind === 'killed' && outcome.signal === 'SIGILL' ? ' (the CPU lacks AVX, which this TensorFlow needs)' : '';
    throw new NativeProblem('does-not-load', `the addon was built but does not run here: the check ${describeOutcome(outcome)}${hint}`);
  }
  const { sum, tensorflow, gpu } = JSON.parse(outcome.stdout.trim().split('\n').at(-1) ?? '{}');
  if (sum !== 512) throw new NativeProblem('does-not-load', `the addon computes wrongly: the elements of ones(8,8) x ones(8,8) add up to ${sum}, not 512`);
  if (tensorflow !== TENSORFLOW_VERSION) throw new NativeProblem('does-not-load', `the addon loaded TensorFlow ${tensorflow}, not ${TENSORFLOW_VERSION}: another libtensorflow is on LD_LIBRARY_PATH`);
  return { tensorflow, gpu };
}
