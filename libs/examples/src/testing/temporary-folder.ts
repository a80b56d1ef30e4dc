import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for the tests of one file, removed after them; `path` names something in it. */
export function temporaryFolder(): { readonly path: (...parts: readonly string[]) => string } {
  const root = mkdtempSync(join(tmpdir(), 'lockstep-examples-'));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  return { path: (...parts) => join(root, ...parts) };
}
