import { access } from 'node:fs/promises';
import { basename, dirname, extname, resolve } from 'node:path';
import { build, type BuildFailure, type Message } from 'esbuild';
import { CliError } from './cli-error';

/** A user's module as workers run it. */
export interface BundledModule {
  /** Name from the file's name, fit for an artifact. */
  readonly name: string;
  /** One CommonJS file; TensorFlow.js and Lockstep are left out: the worker provides them. */
  readonly code: Buffer;
}

/**
 * Bundles a TypeScript or JavaScript module with what it imports. The same sources give the same bytes.
 *
 * @throws CliError with file, line and column when it does not compile
 */
export async function bundleModule(file: string): Promise<BundledModule> {
  const path = resolve(file);
  await access(path).catch(() => { throw new CliError(`${file} does not exist`, 'Give the path of the TypeScript or JavaScript file that exports runFn.'); });
  try {
    const result = await build({
      entryPoints: [path], absWorkingDir: dirname(path), bundle: true, write: false, platform: 'node', format: 'cjs', target: 'node20', outfile: 'module.js',
      external: ['@tensorflow/*', '@lockstep/*'], sourcemap: 'inline', sourcesContent: false, logLevel: 'silent', legalComments: 'none',
    });
    const [output] = result.outputFiles;
    if (!output) throw new CliError(`${file} compiled to nothing`);
    const name = basename(path, extname(path)).toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '') || 'module';
    return { name, code: Buffer.from(output.contents) };
  } catch (e) {
    if (!isBuildFailure(e)) throw e;
    throw new CliError(`${file} does not compile:\n${e.errors.map(locate).join('\n')}`, 'Nothing was submitted.');
  }
}

const isBuildFailure = (e: unknown): e is BuildFailure => e instanceof Error && 'errors' in e && Array.isArray(e.errors);

function locate(message: Message): string {
  const { location, text } = message;
  if (!location) return `  ${text}`;
  return `  ${location.file}:${location.line}:${location.column + 1}: ${text}\n    ${location.lineText.trim()}`;
}
