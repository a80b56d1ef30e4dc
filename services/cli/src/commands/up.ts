import { Command } from 'commander';
import type { Run } from '../main';
import { wholeNumber } from '../parse-flags';
import { up } from '../up';

export const upCommand = (run: Run): Command =>
  new Command('up')
    .description('Start coordinator, artifact service, tuner and workers as processes on this machine, until Ctrl-C.')
    .option('-w, --workers <n>', 'number of workers', wholeNumber(0), 2)
    .option('-p, --port <port>', 'port of the coordinator; the artifact service takes the next one, the tuner the one after it; 0: any free ones', wholeNumber(0), 0)
    .addHelpText('after', `
Examples:
  lockstep up
  lockstep up --workers 4 --port 7070 --data ./cluster`)
    .action((flags: { workers: number; port: number }) => run(({ output, cluster }) => up({ ...cluster, ...flags }, output)));
