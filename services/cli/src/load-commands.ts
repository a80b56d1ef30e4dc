import { createRequire } from 'node:module';
import type { Command } from 'commander';
import type * as Artifacts from './commands/artifacts';
import type * as Doctor from './commands/doctor';
import type * as Examples from './commands/examples';
import type * as Jobs from './commands/jobs';
import type * as Studies from './commands/studies';
import type * as Train from './commands/train';
import type * as Tune from './commands/tune';
import type * as Up from './commands/up';
import type * as Workers from './commands/workers';
import type { Run } from './main';

const load = createRequire(__filename);

/** The commands by name, in the order of the help. */
const COMMANDS: ReadonlyMap<string, (run: Run) => Command> = new Map([
  ['up', (run: Run) => (load('./commands/up') as typeof Up).upCommand(run)],
  ['train', (run: Run) => (load('./commands/train') as typeof Train).trainCommand(run)],
  ['tune', (run: Run) => (load('./commands/tune') as typeof Tune).tuneCommand(run)],
  ['jobs', (run: Run) => (load('./commands/jobs') as typeof Jobs).jobCommands(run)],
  ['studies', (run: Run) => (load('./commands/studies') as typeof Studies).studyCommands(run)],
  ['workers', (run: Run) => (load('./commands/workers') as typeof Workers).workersCommand(run)],
  ['artifacts', (run: Run) => (load('./commands/artifacts') as typeof Artifacts).artifactCommands(run)],
  ['examples', (run: Run) => (load('./commands/examples') as typeof Examples).examplesCommands(run)],
  ['doctor', (run: Run) => (load('./commands/doctor') as typeof Doctor).doctorCommand(run)],
]);

/**
 * The command that a command line begins with, or all of them where it names none that there is: help lists them, and so do suggestions. One
 * runs, and loading what the others stand on takes longer than most of them run.
 *
 * @param name first operand of the command line
 */
export function loadCommands(name: string | undefined, run: Run): readonly Command[] {
  const named = name === undefined ? undefined : COMMANDS.get(name);
  return named ? [named(run)] : [...COMMANDS.values()].map((command) => command(run));
}
