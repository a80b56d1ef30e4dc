import type { TunerClient } from '@lockstep/client';
import { StudySchema, type Study } from '@lockstep/contract';
import { EXIT, type ExitCode } from '../cli-error';
import type { Output } from '../output';
import { printable } from '../terminal-text';
import { showBest } from './show-best';
import { awaitsResults, studyDetail, studyState } from './study-summary';
import { StudyView } from './study-view';

/** How a study that was followed came out. */
export type WatchOutcome =
  | { readonly kind: 'ENDED'; readonly study: Study }
  | { readonly kind: 'DELETED' }
  /** Ctrl-C: the study goes on. */
  | { readonly kind: 'LEFT' };

/** The table shows how long trials have been running. */
const REDRAW_MS = 1000;
/** How long the tuner may take to commit what a study has come to. */
const RESULTS_TIMEOUT_MS = 30_000;

/** Follows a study until it neither runs nor suggests trials any more. Ctrl-C stops following; the study goes on. */
export async function watchStudy(client: TunerClient, name: string, output: Output): Promise<WatchOutcome> {
  const leave = new AbortController();
  const onSignal = (): void => leave.abort();
  process.once('SIGINT', onSignal);
  const view = new StudyView(output, () => performance.now());
  const timer = setInterval(() => { if (output.interactive) view.redraw(); }, REDRAW_MS);
  let over: Study | undefined;
  let deadline: NodeJS.Timeout | undefined;
  let isLate = false;
  try {
    for await (const event of client.watch(name, 0n, leave.signal)) {
      view.show(event);
      // The past of a study that was extended has ends that were none.
      if (!view.progress.isOver) continue;
      const study = await client.get(name);
      over = study.state.case === 'active' ? undefined : study;
      if (over && !awaitsResults(over)) return { kind: 'ENDED', study: over };
      if (!over) continue;
      deadline ??= setTimeout(() => {
        isLate = true;
        leave.abort();
      }, RESULTS_TIMEOUT_MS);
    }
    output.clearLine();
    if (over && isLate) {
      output.remark(`the tuner at ${client.address} has not committed the results of ${name} within ${RESULTS_TIMEOUT_MS / 1000} s: its log says why, \`lockstep studies export\` writes them`);
      return { kind: 'ENDED', study: over };
    }
    if (!leave.signal.aborted) return { kind: 'DELETED' };
    output.remark(`${name} goes on: \`lockstep studies watch ${name}\` follows it again, \`lockstep studies stop ${name}\` ends it.`);
    return { kind: 'LEFT' };
  } finally {
    clearInterval(timer);
    clearTimeout(deadline);
    process.off('SIGINT', onSignal);
    output.clearLine();
  }
}

/** What a study's end means, in a few lines. @returns EXIT.OK when it came to something */
export async function concludeStudy(client: TunerClient, outcome: WatchOutcome, output: Output): Promise<ExitCode> {
  switch (outcome.kind) {
    case 'LEFT': return EXIT.INTERRUPTED;
    case 'DELETED': return EXIT.FAILED;
    case 'ENDED': {
      const { study } = outcome;
      output.message(StudySchema, study);
      output.line();
      output.line(`${study.name} ${studyState(study)}${studyDetail(study) === '' ? '' : `: ${printable(studyDetail(study))}`}`);
      const best = await client.best(study.name, study.spec?.objectives.length === 1 ? 3 : 0);
      if (!output.json) showBest(study, best, output);
      return study.state.case === 'failed' || best.length === 0 ? EXIT.FAILED : EXIT.OK;
    }
  }
}
