import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { ParseSpec } from '../example/parse-spec';

/** A column as Python's TensorFlow parsed it: int64 as decimal text, strings as base64. */
export interface TensorFlowColumn {
  readonly values: readonly (number | string)[];
  /** Of a feature without shape. */
  readonly rowLengths: readonly number[] | null;
}

const python = process.env['LOCKSTEP_PYTHON'];

/** Tests against Python's TensorFlow; counted as skipped, and named so, where there is none. */
export function describeWithTensorFlow(title: string, tests: () => void): void {
  if (python !== undefined && python !== '') describe(title, tests);
  else describe.skip(`${title} (skipped: LOCKSTEP_PYTHON names no Python with TensorFlow)`, tests);
}

/** The batches that tf.data and tf.io.parse_example make of files. */
export function readWithTensorFlow(files: readonly string[], gzip: boolean, spec: ParseSpec, batchSize: number, repeat = 1): readonly Readonly<Record<string, TensorFlowColumn>>[] {
  const features = Object.fromEntries(spec.map((feature) => [feature.column, { dtype: feature.stored, shape: feature.layout === 'DENSE' ? feature.shape : null }]));
  const output = execFileSync(python ?? 'python3', [join(__dirname, 'read_with_tensorflow.py')], {
    input: JSON.stringify({ files, gzip, batchSize, repeat, features }), encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' },
  });
  return JSON.parse(output) as readonly Readonly<Record<string, TensorFlowColumn>>[];
}
