import { writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { types } from 'node:util';
import { CliError, EXIT, type ExitCode } from './cli-error';
import { makeFolder } from './make-folder';
import type { Output } from './output';

/**
 * Writes a text where it was asked for.
 *
 * @param file its folder is made; undefined: standard output
 * @throws CliError when it cannot be written
 */
export async function writeTo(file: string | undefined, text: string, output: Output): Promise<ExitCode> {
  if (file === undefined) {
    output.document({ content: text });
    output.text(text);
    return EXIT.OK;
  }
  const path = resolve(file);
  makeFolder(dirname(path));
  await writeFile(path, text).catch((e: unknown) => { throw new CliError(`${path} cannot be written: ${types.isNativeError(e) ? e.message : String(e)}`, 'Name a file in a folder that you may write to.'); });
  output.document({ file: path, sizeBytes: Buffer.byteLength(text) });
  output.line(`${file} is written`);
  return EXIT.OK;
}
