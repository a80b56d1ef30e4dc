/** Prints the numerics fingerprint of one math thread, as base64 of its message, and ends. */
import { toBinary } from '@bufbuild/protobuf';
import { fingerprintOf, selectBackend } from '@lockstep/backend';
import { NumericsFingerprintSchema } from '@lockstep/contract';
import { toNumericsFingerprint } from './numerics-fingerprint';

selectBackend(process.env, { mathThreads: 1 }).then(
  (backend) => {
    const message = toNumericsFingerprint(fingerprintOf(backend, 'eager', process.env));
    process.stdout.write(`${Buffer.from(toBinary(NumericsFingerprintSchema, message)).toString('base64')}\n`);
  },
  (e: unknown) => {
    process.stderr.write(`${e instanceof Error ? e.message : String(e)}\n`);
    process.exitCode = 1;
  },
);
