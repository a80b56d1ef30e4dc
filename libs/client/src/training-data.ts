import { create } from '@bufbuild/protobuf';
import { ShardPolicy as ShardPolicyNumber, TrainingDataSchema, type ExamplesData, type TrainingData } from '@lockstep/contract';
import type { ExamplesPlanOptions, ShardPolicy } from '@lockstep/sharding';

const NUMBERS: Record<ShardPolicy, ShardPolicyNumber> = { DATA: ShardPolicyNumber.DATA, FILE: ShardPolicyNumber.FILE, OFF: ShardPolicyNumber.OFF };

export const toShardPolicy = (policy: ShardPolicy): ShardPolicyNumber => NUMBERS[policy];

/** DATA for a policy that is not set. */
export function fromShardPolicy(policy: ShardPolicyNumber): ShardPolicy {
  switch (policy) {
    case ShardPolicyNumber.FILE: return 'FILE';
    case ShardPolicyNumber.OFF: return 'OFF';
    case ShardPolicyNumber.DATA:
    case ShardPolicyNumber.UNSPECIFIED: return 'DATA';
  }
}

/** A dataset of examples that a call trains on. */
export interface ExamplesDataPlan {
  readonly patterns: readonly string[];
  readonly options: ExamplesPlanOptions;
  /** Whether one iteration goes on from epoch to epoch; otherwise every epoch is one. */
  readonly continues: boolean;
}

/** What a call trains on. */
export type CallData = ({ readonly kind: 'EXAMPLES' } & ExamplesDataPlan) | { readonly kind: 'ROWS'; readonly rowCount: number };

export function toTrainingData(data: CallData): TrainingData {
  if (data.kind === 'ROWS') return create(TrainingDataSchema, { data: { case: 'rows', value: { rowCount: BigInt(data.rowCount) } } });
  const { patterns, continues, options: { policy, batchSize, passCount, dropFinalBatch, shuffle } } = data;
  return create(TrainingDataSchema, { data: { case: 'examples', value: {
    patterns: [...patterns], continues, dropFinalBatch, batchSize, shardPolicy: toShardPolicy(policy), passes: passCount === Infinity ? 0n : BigInt(passCount),
    shuffleBufferSize: BigInt(shuffle?.bufferSize ?? 0), shuffleSeed: BigInt(shuffle?.seed ?? 0),
  } } });
}

/** @param replicas V of the job */
export function fromExamplesData(data: ExamplesData, replicas: number): ExamplesDataPlan {
  const { patterns, continues, shardPolicy, batchSize, passes, dropFinalBatch, shuffleBufferSize, shuffleSeed } = data;
  return {
    patterns, continues,
    options: {
      policy: fromShardPolicy(shardPolicy), replicas, batchSize, dropFinalBatch,
      passCount: passes === 0n ? Infinity : Number(passes),
      shuffle: shuffleBufferSize === 0n ? undefined : { bufferSize: Number(shuffleBufferSize), seed: Number(shuffleSeed) },
    },
  };
}
