#!/usr/bin/env node
// `npm run demo:tune`: a Hyperband over a small network for the Palmer penguins, two trials at once; then the best values train the model.
import path from 'node:path';
import { demo, say } from './scene.mjs';

const MODULE = 'integration/demo/tune.ts';

await demo(async (cluster) => {
  await cluster.up(2);
  cluster.lockstep(['examples', 'import', 'node_modules/vega-datasets/data/penguins.json', '--name', 'penguins', '--require', 'Beak Length (mm)']);
  cluster.lockstep(['tune', MODULE, '--examples', 'penguins', '--name', 'penguins-width', '--parallel', '2']);
  cluster.lockstep(['studies', 'show', 'penguins-width']);
  cluster.lockstep(['studies', 'report', 'penguins-width', '--to', path.join(cluster.folder, 'report.html')], { show: ['studies', 'report', 'penguins-width', '--to', 'report.html'] });
  const [study] = cluster.lockstep(['studies', 'show', 'penguins-width'], { json: true, quiet: true });
  cluster.lockstep(['train', MODULE, '--examples', 'penguins', '--output', 'penguins-tuned', '--hyperparameters', 'penguins-width-hyperparameters', '--workers', '2']);
  const best = cluster.lockstep(['studies', 'best', 'penguins-width'], { json: true, quiet: true })[0];
  const trials = study.trials.succeeded;
  say(`\n${trials} trials; the best of them, ${best.name}, ended with ${best.succeeded.scores[0]}: its values made the model.`);
  return study.completed !== undefined && study.results !== undefined;
});
