import { createRequire } from 'node:module';
import type { Tf } from '../native-backend';

const load = createRequire(__filename);

type Loaded = { readonly tf: Tf } | { readonly missing: string };

function loadNative(): Loaded {
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '3';
  try {
    return { tf: load('@tensorflow/tfjs-node') as Tf };
  } catch (error) {
    return { missing: (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '' };
  }
}

/** `describe` for tests on the native backend; counted as skipped, with the reason in the title, where there is none. */
export function describeNative(title: string, define: (tf: Tf) => void): void {
  const loaded = loadNative();
  if ('tf' in loaded) {
    describe(title, () => define(loaded.tf));
    return;
  }
  describe.skip(`${title} (needs the native backend, run npm run native: ${loaded.missing})`, () => {
    it('runs on the native backend', () => undefined);
  });
}
