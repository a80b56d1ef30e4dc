import { Command, CommanderError, Option } from 'commander';
import { packageVersion, RpcError } from '@lockstep/rpc';
import { CliError, EXIT, type ExitCode } from './cli-error';
import { loadCommands } from './load-commands';
import { Output } from './output';

const program = new Command('lockstep')
  .description('Trains TensorFlow.js models on many machines, with the same bytes whatever the number of workers, and keeps what they produce.')
  .version(packageVersion(__dirname))
  .option('--json', 'print JSON documents, one a line')
  .option('--data <folder>', 'data folder of the local cluster (LOCKSTEP_DATA; default ~/.lockstep)')
  .option('--coordinator <host:port>', 'coordinator to talk to (LOCKSTEP_COORDINATOR)')
  .option('--artifact <host:port>', 'artifact service to talk to (LOCKSTEP_ARTIFACT)')
  .option('--tuner <host:port>', 'tuner to talk to (LOCKSTEP_TUNER)')
  .showSuggestionAfterError(true)
  .showHelpAfterError('(lockstep --help lists the commands)')
  .configureHelp({ showGlobalOptions: true })
  .exitOverride()
  .addHelpText('after', `
Exit codes: 0 it worked; 1 it did not (the job failed, the service refused); 2 the command line is wrong; 130 interrupted.

Examples:
  lockstep up --workers 2                                       start a cluster on this machine
  lockstep examples import penguins.json --name penguins        rows -> splits of tf.Examples, committed as a version
  lockstep train model.ts --examples penguins --workers 2       train, watch, commit the model
  lockstep tune model.ts --examples penguins --trials 20        search hyperparameters, commit the best
  lockstep artifacts get artifacts/penguins-model/versions/1 --to ./model`);

/** What every command is given. */
export interface Context {
  readonly output: Output;
  readonly cluster: { readonly data?: string; readonly coordinator?: string; readonly artifact?: string; readonly tuner?: string };
}

/** Runs a command's action with what the global flags say, and keeps its exit code. */
export type Run = (action: (context: Context) => Promise<ExitCode>) => Promise<void>;

let exitCode: ExitCode = EXIT.OK;
const run: Run = async (action) => {
  const flags = program.opts<{ json?: boolean; data?: string; coordinator?: string; artifact?: string; tuner?: string }>();
  const { json = false, ...cluster } = flags;
  const output = new Output(json);
  try {
    exitCode = await action({ output, cluster });
  } catch (e) {
    exitCode = complain(e, output);
  }
};

/** A service that answers gives its refusals a reason. */
const isUnreachable = ({ code, details }: RpcError): boolean => code === 'UNAVAILABLE' && details.reason === undefined;
const UNREACHABLE_HINT = 'Is a service running there, and does it take connections? `lockstep up` starts a cluster on this machine; what its services have to say is in its data folder, under logs/.';

/** One sentence, its cause, and what to do. */
function complain(caught: unknown, output: Output): ExitCode {
  output.clearLine();
  if (caught instanceof CliError) {
    output.document({ error: { message: caught.message, hint: caught.hint } });
    if (!output.json) process.stderr.write(`lockstep: ${caught.message}\n${caught.hint === undefined ? '' : `${caught.hint}\n`}`);
    return caught.exitCode;
  }
  if (caught instanceof RpcError) {
    const { code, message, details } = caught;
    output.document({ error: { code, message, ...details } });
    if (!output.json) {
      process.stderr.write(details.fieldViolations
        ? `lockstep: the request was refused\n${details.fieldViolations.map((v) => `  ${v.field}: ${v.description}`).join('\n')}\n`
        : `lockstep: ${message}\n${isUnreachable(caught) ? `${UNREACHABLE_HINT}\n` : ''}`);
    }
    return EXIT.FAILED;
  }
  const message = caught instanceof Error ? caught.message : String(caught);
  output.document({ error: { message } });
  if (!output.json) process.stderr.write(`lockstep: ${message}\n${process.env['LOCKSTEP_DEBUG'] === '1' && caught instanceof Error ? `${caught.stack ?? ''}\n` : ''}`);
  return EXIT.FAILED;
}

async function main(argv: readonly string[]): Promise<void> {
  const [first] = program.parseOptions([...argv]).operands;
  for (const command of loadCommands(first, run)) {
    for (const each of [command, ...command.commands]) each.exitOverride().showSuggestionAfterError(true);
    program.addCommand(command);
  }
  // Global flags work after the command too: that is where people type them.
  for (const command of program.commands.flatMap((c) => [c, ...c.commands])) {
    for (const name of ['json', 'data', 'coordinator', 'artifact', 'tuner'] as const) {
      const option = program.options.find((o) => o.attributeName() === name);
      if (!option || command.options.some((o) => o.attributeName() === name)) continue;
      command.addOption(new Option(option.flags).hideHelp());
      command.on(`option:${name}`, (value: string | null) => program.setOptionValue(name, name === 'json' ? true : value));
    }
  }
  await program.parseAsync(argv, { from: 'user' });
}

main(process.argv.slice(2)).then(
  () => process.exit(exitCode),
  (e: unknown) => process.exit(e instanceof CommanderError ? (e.exitCode === 0 ? EXIT.OK : EXIT.USAGE) : complain(e, new Output(false))),
);
