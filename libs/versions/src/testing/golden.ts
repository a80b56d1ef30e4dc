import fs from 'node:fs';
import path from 'node:path';

/** What golden/golden.py has computed from the formats' descriptions. */
interface Golden {
  readonly manifests: readonly {
    readonly title: string;
    readonly files: readonly { readonly path: string; readonly mode: number; readonly blobs: readonly string[] }[];
    readonly digest: string;
  }[];
  readonly cuts: readonly { readonly seed: string; readonly sizeBytes: number; readonly lengths: readonly number[] }[];
}

export const golden = JSON.parse(fs.readFileSync(path.join(__dirname, '..', '..', 'golden', 'golden.json'), 'utf8')) as Golden;
