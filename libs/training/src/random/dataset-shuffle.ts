import type { Tf } from '../tfjs';
import type { Patches } from '../patches';
import type { RandomKey } from './random-stream';
import type { RandomRouter } from './random-router';

/**
 * Keys `Dataset.shuffle`. tfjs seeds it from the clock when no seed is given, and in either case carries a generator on
 * from one iteration to the next, also with `reshuffleEachIteration` false. Here the order depends on the seed (the
 * caller's, else the job's and the shuffle's place in the module) and on which iteration of which call it is.
 */
export function keyDatasetShuffle(tf: Tf, router: RandomRouter, patches: Patches, place: () => RandomKey): void {
  patches.replace(tf.data.Dataset.prototype, 'shuffle', (original) =>
    function (this: InstanceType<typeof tf.data.Dataset>, bufferSize, seed, reshuffleEachIteration = true) {
      // tfjs checks the arguments and computes the size; its own order is never used.
      const shuffled = original.call(this, bufferSize, seed, reshuffleEachIteration);
      const source: RandomKey = seed === undefined ? ['job', router.seed, ...place()] : ['seed', seed];
      let freeIterations = 0;
      const iterationKey = (): RandomKey => {
        if (!reshuffleEachIteration) return ['every'];
        const scope = router.currentIteration();
        if (!scope) return ['free', freeIterations++];
        const opened = scope.opened.get(shuffled) ?? 0;
        scope.opened.set(shuffled, opened + 1);
        return [...scope.key, 'open', opened];
      };
      shuffled.iterator = async () => {
        const key = JSON.stringify(['shuffle', source, iterationKey()]);
        return (await this.iterator()).shuffle(bufferSize, key);
      };
      return shuffled;
    },
  );
}
