/** `node libs/simulation/run.mjs`: runs seeds, and says what they came to. */
import { parseArgs } from 'node:util';
import { PLANTED_BUGS, type PlantedBug } from './cluster/bugs';
import { runSeed, type RunReport } from './run-seed';
import { runScale, scaleTable } from './scale/run-scale';
import { Summary } from './summary';

const USAGE = `usage: node libs/simulation/run.mjs [flags]

  --seeds N   how many seeds to run; default 1000
  --from N    the first of them; default 0
  --seed N    only this one
  --trace     with --seed: prints everything that happens
  --scale     one job on 64, 512 and 4,096 workers instead: its figures as a table
  --bug NAME  plants a bug, and stops at the first seed that finds it: ${PLANTED_BUGS.join(', ')}
`;

const PROGRESS_MS = 10_000;
const SCALES = [64, 512, 4096];

interface Command {
  readonly from: number;
  readonly to: number;
  readonly trace: boolean;
  readonly scale: boolean;
  readonly bug: PlantedBug | undefined;
}

/** @throws Error with one sentence for a bad argument */
function readCommand(argv: readonly string[]): Command | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: { seeds: { type: 'string' }, from: { type: 'string' }, seed: { type: 'string' }, trace: { type: 'boolean' }, scale: { type: 'boolean' }, bug: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help === true) return undefined;
  const number = (flag: 'seeds' | 'from' | 'seed', fallback: number): number => {
    const text = values[flag];
    if (text === undefined) return fallback;
    if (!/^\d{1,9}$/.test(text)) throw new Error(`--${flag} "${text}" is not a number`);
    return Number(text);
  };
  const bug = PLANTED_BUGS.find((name) => name === values.bug);
  if (values.bug !== undefined && !bug) throw new Error(`--bug "${values.bug}" is none of ${PLANTED_BUGS.join(', ')}`);
  const from = number('seed', number('from', 0));
  return { bug, from, to: values.seed === undefined ? from + number('seeds', 1000) : from + 1, trace: values.trace === true, scale: values.scale === true };
}

/** @returns the exit code: 1 when a seed broke its promises */
export function main(argv: readonly string[], print: (text: string) => void, nowMs: () => number): number {
  let command: Command | undefined;
  try {
    command = readCommand(argv);
  } catch (e) {
    print(`${e instanceof Error ? e.message : String(e)}\n${USAGE}`);
    return 2;
  }
  if (!command) {
    print(USAGE);
    return 0;
  }
  if (command.scale) {
    print(scaleTable(SCALES.map(runScale)));
    return 0;
  }
  const { from, to, bug, trace } = command;
  const summary = new Summary();
  const startedMs = nowMs();
  let saidMs = startedMs;
  for (let seed = from; seed < to; seed++) {
    const report: RunReport = runSeed(seed, { ...(bug && { bug }), ...(trace && { trace: (line: string) => print(`${line}\n`) }) });
    summary.add(report);
    if (report.violations.length > 0) {
      print(`seed ${seed} fails:\n${report.violations.map((one) => `  ${one}\n`).join('')}  replay: node libs/simulation/run.mjs --seed ${seed} --trace${bug ? ` --bug ${bug}` : ''}\n`);
      if (bug) {
        print(`${bug} is found by seed ${seed}, the ${seed - from + 1}. of this run\n`);
        return 0;
      }
    }
    if (nowMs() - saidMs > PROGRESS_MS) {
      saidMs = nowMs();
      print(`${seed - from + 1} of ${to - from} seeds, ${summary.failed.length} failed, ${Math.round((saidMs - startedMs) / 1000)} s\n`);
    }
  }
  print(summary.text((nowMs() - startedMs) / 1000));
  if (bug) print(`${bug} is not found by ${to - from} seeds\n`);
  return summary.failed.length > 0 || bug ? 1 : 0;
}
