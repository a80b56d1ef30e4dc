import { execFile } from 'node:child_process';
import path from 'node:path';
import { BackendError } from './backend-error';
import type { Environment } from './environment';

const REPORT_TIMEOUT_MS = 90_000;
const TOOL = path.join(__dirname, '..', 'native', 'native.mjs');

/** A thing that the native backend needs: there, with facts (versions, places), or missing, with the sentence that says what to do. */
export type Finding =
  | { readonly kind: 'present'; readonly facts: Readonly<Record<string, string>> }
  | { readonly kind: 'missing'; readonly reason: string; readonly problem: string };

/** What `npm run native -- --check --json` found. */
export interface NativeReport {
  /** Where libraries and addons are kept for this user. */
  readonly cache: string;
  /** Folders of TensorFlow's library in the cache. */
  readonly libraries: readonly string[];
  readonly platform: Finding;
  readonly python: Finding;
  readonly compiler: Finding;
  readonly headers: Finding;
  /** The addon in tfjs-node's package, after it has multiplied two matrices in a process of its own. */
  readonly addon: Finding;
}

/** Asks the native set-up what is there. Takes about a second. @throws BackendError NO_REPORT */
export async function readNativeReport(env: Environment, tool = TOOL): Promise<NativeReport> {
  const text = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, [tool, '--check', '--json'], { env: { ...env }, timeout: REPORT_TIMEOUT_MS }, (error, stdout, stderr) => {
      // Exit code 1 says that the addon does not work, which the report tells better.
      if (stdout.trim().startsWith('{')) resolve(stdout);
      else reject(new BackendError('NO_REPORT', `${tool} --check gave no report${error === null ? '' : ` (${error.message.split('\n', 1)[0] ?? ''})`}: ${stderr.trim()}`));
    });
  });
  const parsed: unknown = JSON.parse(text);
  if (!isRecord(parsed) || typeof parsed['cache'] !== 'string' || !Array.isArray(parsed['libraries'])) {
    throw new BackendError('NO_REPORT', `${tool} --check gave a report of another version; reinstall with npm ci`);
  }
  const finding = (name: string): Finding => toFinding(parsed[name], name);
  return {
    cache: parsed['cache'],
    libraries: parsed['libraries'].map(String),
    platform: finding('platform'), python: finding('python'), compiler: finding('compiler'), headers: finding('headers'), addon: finding('addon'),
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

function toFinding(value: unknown, name: string): Finding {
  if (!isRecord(value)) throw new BackendError('NO_REPORT', `the native report does not speak of ${name}; reinstall with npm ci`);
  const { ok, reason, problem, ...facts } = value;
  if (ok === true) return { kind: 'present', facts: Object.fromEntries(Object.entries(facts).map(([key, fact]) => [key, String(fact)])) };
  return { kind: 'missing', reason: String(reason), problem: String(problem) };
}
