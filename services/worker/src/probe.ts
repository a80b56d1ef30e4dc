import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fromJsonString } from '@bufbuild/protobuf';
import { NumericsFingerprintSchema, type NumericsFingerprint } from '@lockstep/contract';

const PROBE_TIMEOUT_MS = 60_000;

/**
 * What this machine computes with, found out by a process that loads the backend and ends: an agent does not keep half a
 * gigabyte of math library for it.
 */
export async function probeFingerprint(): Promise<NumericsFingerprint> {
  const line = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, [join(__dirname, 'child', 'probe-main.js')], { timeout: PROBE_TIMEOUT_MS, env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' } }, (error, stdout, stderr) => {
      if (error) reject(new Error(`the backend could not be loaded: ${stderr.trim() || error.message}`));
      else resolve(stdout.trim().split('\n').at(-1) ?? '');
    });
  });
  return fromJsonString(NumericsFingerprintSchema, line);
}
