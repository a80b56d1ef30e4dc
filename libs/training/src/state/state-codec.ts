/**
 * Bytes of a TrainingState, version 2.
 *
 *   0  8  magic "LOCKSTEP"
 *   8  4  version, uint32 little endian
 *  12  4  length of the header in bytes, uint32 little endian
 *  16     header: canonical JSON in UTF-8, then zeros up to a multiple of 8
 *         each tensor, the models' first, then the callbacks': its elements little endian (bool: one byte), then zeros up to a multiple of 8
 *
 * 1. Equal states have equal bytes: no clock, no addresses, sorted keys, padding of zeros.
 * 2. decode accepts what encode writes and nothing else: every length, name, dtype and padding byte is checked.
 */
import { createHash } from 'node:crypto';
import { PHASES, type Phase, type Position } from '@lockstep/reduction';
import { decodeCanonicalJson, encodeCanonicalJson, type JsonValue } from '../canonical-json';
import { StateError } from '../errors';
import { FIT_STAGES, type AppliedBatch, type EvaluationProgress } from '../fit/run';
import { gatherCallbackTensors, spreadCallbackTensors, type FlatRun, type FlatState } from './callback-tensors';
import { JsonReader } from './json-reader';
import type { CallRecord, OptimizerState, StateDtype, StateSnapshot, StateTensor } from './training-state';

const MAGIC = Buffer.from('LOCKSTEP', 'ascii');
const VERSION = 2;
const PREFIX_BYTES = 16;
const ALIGNMENT_BYTES = 8;

export const DTYPE_BYTES: Readonly<Record<StateDtype, number>> = { float32: 4, int32: 4, bool: 1 };

const aligned = (length: number): number => Math.ceil(length / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;

/** SHA-256 of the bytes of a state, lowercase hex. */
export const stateDigest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export function encodeState(snapshot: StateSnapshot): Uint8Array {
  const state = gatherCallbackTensors(snapshot);
  const header = Buffer.from(encodeCanonicalJson(toHeader(state)), 'utf8');
  const length = state.tensors.reduce((sum, tensor) => sum + aligned(tensor.data.byteLength), PREFIX_BYTES + aligned(header.length));
  const bytes = Buffer.alloc(length);
  MAGIC.copy(bytes, 0);
  bytes.writeUInt32LE(VERSION, 8);
  bytes.writeUInt32LE(header.length, 12);
  header.copy(bytes, PREFIX_BYTES);
  let offset = PREFIX_BYTES + aligned(header.length);
  for (const { data } of state.tensors) {
    bytes.set(data, offset);
    offset += aligned(data.byteLength);
  }
  return bytes;
}

/**
 * Reads a state; the tensors' data are views of `bytes`.
 * @param digest what the bytes' SHA-256 must be, where it is known
 * @throws StateError (DIGEST_MISMATCH, NOT_A_STATE, OTHER_VERSION, TRUNCATED, CORRUPT)
 */
export function decodeState(bytes: Uint8Array, digest?: string): StateSnapshot {
  if (digest !== undefined) {
    const actual = stateDigest(bytes);
    if (actual !== digest) throw new StateError('DIGEST_MISMATCH', `the state's bytes have the digest ${actual}, not ${digest}: they were damaged on the way; fetch them again`);
  }
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!buffer.subarray(0, MAGIC.length).equals(MAGIC)) throw new StateError('NOT_A_STATE', 'these bytes are no TrainingState: they do not start with LOCKSTEP');
  if (buffer.length < PREFIX_BYTES) throw truncated(PREFIX_BYTES, buffer.length);
  const version = buffer.readUInt32LE(8);
  if (version !== VERSION) throw new StateError('OTHER_VERSION', `the state has format version ${version}, this program reads version ${VERSION}: run the program that wrote it`);
  const headerLength = buffer.readUInt32LE(12);
  let offset = PREFIX_BYTES + aligned(headerLength);
  if (buffer.length < offset) throw truncated(offset, buffer.length);
  checkPadding(buffer, PREFIX_BYTES + headerLength, offset);
  const header = readHeader(buffer.subarray(PREFIX_BYTES, PREFIX_BYTES + headerLength));
  const tensors = header.tensors.map((tensor): StateTensor => {
    const length = tensor.shape.reduce((size, dimension) => size * dimension, DTYPE_BYTES[tensor.dtype]);
    const end = offset + aligned(length);
    if (buffer.length < end) throw truncated(end, buffer.length);
    checkPadding(buffer, offset + length, end);
    const data = buffer.subarray(offset, offset + length);
    offset = end;
    return { ...tensor, data };
  });
  if (buffer.length !== offset) throw new StateError('CORRUPT', `the state ends at byte ${offset}, but ${buffer.length} bytes were given`);
  return spreadCallbackTensors({ ...header, tensors });
}

const truncated = (needed: number, given: number): StateError =>
  new StateError('TRUNCATED', `the state is cut off: it needs at least ${needed} bytes, ${given} were given`);

function checkPadding(buffer: Buffer, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    if (buffer[i] !== 0) throw new StateError('CORRUPT', `byte ${i} of the state is padding and must be 0`);
  }
}

const toHeader = (state: Header): JsonValue => ({
  seed: state.seed,
  replicas: state.replicas,
  position: { ...state.position },
  models: state.models.map((model) => model && { optimizer: { className: model.optimizer.className, numbers: model.optimizer.numbers } }),
  calls: state.calls.map((call) => ({ ...call })),
  running: state.running && {
    ...state.running,
    run: state.running.run && { ...state.running.run, history: state.running.run.history.map(([name, values]) => [name, values]), lastBatch: state.running.run.lastBatch && batchHeader(state.running.run.lastBatch) },
    evaluation: state.running.evaluation && { ...state.running.evaluation },
  },
  tensors: state.tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
});

const batchHeader = ({ rows, values, visits }: AppliedBatch): JsonValue => ({ rows, values, visits: { records: visits.records, sum: String(visits.sum) } });

type Header = Omit<FlatState, 'tensors'> & { readonly tensors: readonly Omit<StateTensor, 'data'>[] };

function readHeader(bytes: Uint8Array): Header {
  let json: JsonValue;
  try {
    json = decodeCanonicalJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new StateError('CORRUPT', `the state's header is no canonical JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const root = new JsonReader(json, 'header');
  const header: Header = {
    seed: root.field('seed').integer(),
    replicas: root.field('replicas').integer(1),
    position: readPosition(root.field('position')),
    models: root.field('models').list((model) => model.nullable((m) => ({ optimizer: readOptimizer(m.field('optimizer')) }))),
    calls: root.field('calls').list(readCall),
    running: root.field('running').nullable(readRunning),
    tensors: root.field('tensors').list((tensor) => ({
      name: tensor.field('name').string(),
      dtype: tensor.field('dtype').oneOf(Object.keys(DTYPE_BYTES) as StateDtype[]),
      shape: tensor.field('shape').list((dimension) => dimension.integer(0)),
    })),
  };
  // One text per state: what is not in canonical form, or has fields that nobody reads, is not what encode wrote.
  if (!Buffer.from(encodeCanonicalJson(toHeader(header)), 'utf8').equals(bytes)) throw new StateError('CORRUPT', "the state's header is not in canonical form");
  return header;
}

const readPosition = (json: JsonReader): Position => ({
  call: json.field('call').integer(0),
  epoch: json.field('epoch').integer(0),
  phase: json.field('phase').oneOf<Phase>(PHASES),
  step: json.field('step').integer(0),
});

const readOptimizer = (json: JsonReader): OptimizerState => ({
  className: json.field('className').string(),
  numbers: json.field('numbers').record((value) => value.numberBooleanOrNull()),
});

const readCall = (json: JsonReader): CallRecord => ({
  kind: json.field('kind').string(),
  label: json.field('label').string(),
  digest: json.field('digest').string(),
  result: json.field('result').value,
});

const readRunning = (json: JsonReader): NonNullable<FlatState['running']> => ({
  kind: json.field('kind').string(),
  label: json.field('label').string(),
  digest: json.field('digest').string(),
  run: json.field('run').nullable(readRun),
  evaluation: json.field('evaluation').nullable(readEvaluation),
});

const readTotals = (json: JsonReader): readonly (readonly number[])[] => json.list((total) => total.list((value) => value.number()));

const readEvaluation = (json: JsonReader): EvaluationProgress => ({
  step: json.field('step').integer(0),
  rows: json.field('rows').integer(0),
  totals: readTotals(json.field('totals')),
  firstElement: json.field('firstElement').nullable((digest) => digest.string()),
});

const readRun = (json: JsonReader): FlatRun => ({
  stage: json.field('stage').oneOf(FIT_STAGES),
  lastBatch: json.field('lastBatch').nullable((batch) => ({
    rows: batch.field('rows').integer(0),
    values: batch.field('values').list((value) => value.number()),
    visits: { records: batch.field('visits').field('records').integer(0), sum: batch.field('visits').field('sum').uint64() },
  })),
  firstElement: json.field('firstElement').nullable((digest) => digest.string()),
  rows: json.field('rows').integer(0),
  totals: readTotals(json.field('totals')),
  epochs: json.field('epochs').list((epoch) => epoch.integer(0)),
  history: json.field('history').list((pair) => [pair.item(0).string(), pair.item(1).list((value) => value.number())] as const),
  validation: json.field('validation').nullable((values) => values.list((value) => value.number())),
  stopTraining: json.field('stopTraining').boolean(),
  callbackRounds: json.field('callbackRounds').integer(0),
  callbacks: json.field('callbacks').list((callback) => callback.value),
});
