export type { ExportOptions, FnArgs, RunFn, ServingFeatures } from '@lockstep/training';
