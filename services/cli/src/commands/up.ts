import { Command } from 'commander';
import { kerasListener } from '../keras-listeners';
import type { Run } from '../main';
import { wholeNumber } from '../parse-flags';
import { up } from '../up';

export const upCommand = (run: Run): Command =>
  new Command('up')
    .description('Start coordinator, artifact service, tuner and workers as processes on this machine, until Ctrl-C.')
    .option('-w, --workers <n>', 'number of workers', wholeNumber(0), 2)
    .option('-p, --port <port>', 'port of the coordinator; the artifact service takes the next one, the tuner the one after it; 0: any free ones', wholeNumber(0), 0)
    .option('--keras-tuner <address>', 'where the tuner serves KerasTuner\'s own workers: HOST:PORT=STUDY, or HOST:PORT for every study under the host name that begins with its id; may be repeated', kerasListener)
    .addHelpText('after', `
Examples:
  lockstep up
  lockstep up --workers 4 --port 7070 --data ./cluster
  lockstep up --keras-tuner 127.0.0.1:7500=my-study`)
    .action(({ kerasTuner = [], ...flags }: { workers: number; port: number; kerasTuner?: readonly string[] }) => run(({ output, cluster }) => up({ ...cluster, ...flags, kerasTuner }, output)));
