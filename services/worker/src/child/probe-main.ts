/** Prints the numerics fingerprint of one math thread, as JSON of its message, and ends. */
import { fingerprintOf, selectBackend } from '@lockstep/backend';
import { toNumericsFields } from './numerics-fingerprint';

selectBackend(process.env, { mathThreads: 1 }).then(
  (backend) => {
    process.stdout.write(`${JSON.stringify(toNumericsFields(fingerprintOf(backend, 'eager', process.env)))}\n`);
  },
  (e: unknown) => {
    process.stderr.write(`${e instanceof Error ? e.message : String(e)}\n`);
    process.exitCode = 1;
  },
);
