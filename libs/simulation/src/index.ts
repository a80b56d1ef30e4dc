export { PLANTED_BUGS, type PlantedBug } from './cluster/bugs';
export { drawPlan, type Plan } from './plan';
export { runPlan, runSeed, type RunOptions, type RunReport } from './run-seed';
