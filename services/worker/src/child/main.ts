/** A job's process: reads its config from standard input, takes part in the job, and exits. */
import { createInterface } from 'node:readline';
import { parseChildConfig } from '../child-config';
import { runChild } from './run-child';

/** Exit codes that the agent reports. */
const EXIT_DONE = 0;
const EXIT_FAILED = 1;

const lines = createInterface({ input: process.stdin });
lines.once('line', (line) => {
  // The agent holds the other end: when it dies, this process must not go on as a ghost.
  process.stdin.once('end', () => process.exit(EXIT_FAILED));
  runChild(parseChildConfig(line)).then(
    (succeeded) => process.exit(succeeded ? EXIT_DONE : EXIT_FAILED),
    (e: unknown) => {
      process.stderr.write(`${e instanceof Error ? (e.stack ?? e.message) : String(e)}\n`);
      process.exit(EXIT_FAILED);
    },
  );
});
