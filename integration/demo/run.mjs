#!/usr/bin/env node
// `npm run demo`: from a fresh clone to a trained, versioned model, with the same bytes on one, two and three workers.
import path from 'node:path';
import { demo, say } from './scene.mjs';

const train = (workers) => ['train', 'integration/demo/penguins.ts', '--examples', 'penguins', '--output', `penguins-on-${workers}`, '--workers', String(workers), '--seed', '7'];

await demo(async (cluster) => {
  await cluster.up(3);
  cluster.lockstep(['examples', 'import', 'node_modules/vega-datasets/data/penguins.json', '--name', 'penguins', '--require', 'Beak Length (mm)']);
  cluster.lockstep(train(2));
  say('\nThe same job on one worker, and on three:');
  const digests = new Map();
  for (const workers of [1, 3]) {
    const last = cluster.lockstep(train(workers), { json: true }).at(-1);
    digests.set(workers, last.result.modelDigest);
    say(`digest     ${last.result.modelDigest}`);
  }
  digests.set(2, cluster.lockstep(['artifacts', 'show', 'penguins-on-2'], { json: true, quiet: true })[0].digest);
  cluster.lockstep(['artifacts', 'get', 'penguins-on-2', '--to', path.join(cluster.folder, 'model')], { show: ['artifacts', 'get', 'penguins-on-2', '--to', './model'] });
  const same = new Set(digests.values()).size === 1;
  say(`\n${same ? 'Equal: one, two and three workers made the same bytes.' : `NOT equal: ${JSON.stringify([...digests])}`}`);
  return same;
});
