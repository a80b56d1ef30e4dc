import { createInterface } from 'node:readline/promises';
import { CliError, EXIT } from './cli-error';
import type { Output } from './output';

/**
 * Asks the person at the terminal.
 *
 * @returns whether the answer was yes
 * @throws CliError where nobody can be asked
 */
export async function confirm(question: string, output: Output): Promise<boolean> {
  if (output.json || !process.stdin.isTTY) throw new CliError('nobody can be asked here', 'Give --yes to do it without a question.', EXIT.USAGE);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // The end of input is no answer: `question` would wait for ever.
  const ended = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  try {
    return /^y(es)?$/i.test((await Promise.race([terminal.question(`${question} [y/N] `), ended])).trim());
  } finally {
    terminal.close();
  }
}
