/** What a command answers with when it cannot do what it was asked: one sentence, its cause, and what to do. */
export class CliError extends Error {
  override readonly name = 'CliError';
  constructor(message: string, readonly hint?: string, readonly exitCode: ExitCode = EXIT.FAILED) {
    super(message);
  }
}

/** Exit codes of every command. */
export const EXIT = {
  OK: 0,
  /** It did not work: the job failed, the service refused, the file is bad. */
  FAILED: 1,
  /** The command line is wrong: nothing was tried. */
  USAGE: 2,
  /** Ctrl-C. */
  INTERRUPTED: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
