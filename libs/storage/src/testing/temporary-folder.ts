import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const made: string[] = [];

/** A fresh folder that is removed when the test file has ended. */
export function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lockstep-test-'));
  made.push(folder);
  return folder;
}

/** Call at the top of a test file that uses temporaryFolder. */
export function removeTemporaryFolders(): void {
  afterAll(() => {
    for (const folder of made.splice(0)) fs.rmSync(folder, { recursive: true, force: true });
  });
}
