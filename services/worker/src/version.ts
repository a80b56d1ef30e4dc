import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Version of this package: agents, members and the coordinator of one cluster have the same. */
export function packageVersion(): string {
  const parsed: unknown = JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8'));
  if (typeof parsed === 'object' && parsed !== null && 'version' in parsed && typeof parsed.version === 'string') return parsed.version;
  throw new Error('package.json has no version');
}
