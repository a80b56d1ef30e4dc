export type Direction = 'MIN' | 'MAX';

/** What a study makes as small or as large as it can: a metric that trials report. */
export interface Objective {
  readonly metric: string;
  readonly direction: Direction;
}
