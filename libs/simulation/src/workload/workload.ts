/** What a simulated module does: data, as a seed draws it. */
import type { Random } from '../world/random';

/** A collective call of the module. */
export type WorkloadCall =
  | {
    readonly kind: 'fit';
    readonly epochs: number;
    /** Rows of the global batch. */
    readonly batchSize: number;
    /** Rounds of validation at the end of each epoch. */
    readonly validationRounds: number;
    /** Whether a callback evaluates at the end of each epoch: the state cannot be handed on while it runs. */
    readonly evaluatesInCallback: boolean;
  }
  | { readonly kind: 'evaluate'; readonly rounds: number }
  | { readonly kind: 'export' };

export type FitCall = Extract<WorkloadCall, { kind: 'fit' }>;

export interface Workload {
  readonly seed: number;
  /** V. */
  readonly replicas: number;
  readonly calls: readonly WorkloadCall[];
  /** Records of the training split, cut into shards of at most `shardRecords`. */
  readonly records: number;
  readonly shardRecords: number;
  /** Elements of the weights, by bucket. */
  readonly bucketWeights: readonly [number, number];
  /** Elements of the moving statistics. */
  readonly statistics: number;
  /** Largest bucket that goes to everybody; others are scattered and gathered. */
  readonly oneShotBytes: number;
  /** Largest payload of a piece. */
  readonly chunkBytes: number;
  /** How long one replica's gradients take; milliseconds. */
  readonly computeMs: number;
  /** 0: not by steps. */
  readonly checkpointEverySteps: number;
  /** 0: not by time. */
  readonly checkpointEveryMs: number;
  readonly checkpointKeep: number;
}

/** Steps of a call's passes over the data; the last one may have few rows, so that replicas are empty. */
export const MAX_STEPS_PER_CALL = 24;

/** @param light for large clusters: fewer and smaller steps */
export function drawWorkload(random: Random, seed: number, replicas: number, light: boolean): Workload {
  const records = random.between(Math.max(4, replicas), light ? 2 * replicas : 5 * replicas + 20);
  const fit = (): FitCall => {
    const epochs = random.between(1, light ? 1 : 3);
    // A first batch has a row for each replica; sometimes a last one has almost none.
    const least = Math.max(replicas, Math.ceil((records * epochs) / MAX_STEPS_PER_CALL));
    return {
      kind: 'fit', epochs, batchSize: Math.min(records, random.between(least, least + 2 * replicas)),
      validationRounds: random.chance(0.4) ? random.between(1, 2) : 0, evaluatesInCallback: random.chance(0.25),
    };
  };
  const middle = Array.from({ length: random.between(1, light ? 2 : 4) }, (): WorkloadCall => (
    random.chance(0.75) ? fit() : random.chance(0.8) ? { kind: 'evaluate', rounds: random.between(1, 2) } : { kind: 'export' }
  ));
  return {
    seed, replicas, records, shardRecords: random.between(2, 9), calls: [fit(), ...middle, { kind: 'export' }],
    bucketWeights: [random.between(1, light ? 8 : 60), random.between(1, 40)], statistics: random.between(1, 3),
    oneShotBytes: random.pick([0, 64, 4096]), chunkBytes: random.pick([64, 256, 65_536]), computeMs: random.between(2, 60),
    checkpointEverySteps: random.pick([0, 1, 2, 5, 10]), checkpointEveryMs: random.pick([0, 0, 500]), checkpointKeep: random.between(1, 3),
  };
}
