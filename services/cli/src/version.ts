import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Version of Lockstep. */
export function cliVersion(): string {
  const parsed: unknown = JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8'));
  return typeof parsed === 'object' && parsed !== null && 'version' in parsed ? String(parsed.version) : 'unknown';
}
