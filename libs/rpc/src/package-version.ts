import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The version in the package.json one folder above a package's compiled files.
 *
 * @param folder `__dirname` of a file in the package's dist/ (or src/)
 */
export function packageVersion(folder: string): string {
  const file = join(folder, '..', 'package.json');
  const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (typeof parsed === 'object' && parsed !== null && 'version' in parsed && typeof parsed.version === 'string') return parsed.version;
  throw new Error(`${file} has no version`);
}
