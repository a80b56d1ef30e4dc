import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** The folder of PostgreSQL's programs (initdb, postgres), or why there is none. */
export type PostgresPrograms =
  | { readonly kind: 'INSTALLED'; readonly folder: string }
  | { readonly kind: 'MISSING'; readonly why: string };

type Environment = Readonly<Record<string, string | undefined>>;

/** Where Debian and its relatives install versions side by side. */
const SIDE_BY_SIDE = '/usr/lib/postgresql';

const isSet = (value: string | undefined): value is string => value !== undefined && value !== '';
const hasPrograms = (folder: string): boolean => ['initdb', 'postgres'].every((name) => fs.existsSync(path.join(folder, name)));

/** Where integration/foreign/install.mjs puts the programs when the system has none; the same rule stands there. */
function cachedPrograms(env: Environment): string {
  const user = isSet(env['XDG_CACHE_HOME']) ? env['XDG_CACHE_HOME'] : path.join(os.homedir(), '.cache');
  const cache = isSet(env['LOCKSTEP_FOREIGN_CACHE']) ? env['LOCKSTEP_FOREIGN_CACHE'] : path.join(user, 'lockstep', 'foreign');
  return path.join(path.resolve(cache), 'postgres', 'bin');
}

/** Looks at LOCKSTEP_POSTGRES_BIN, PATH, where Linux distributions put it, and the cache of integration/foreign/install.mjs. */
export function findPostgres(env: Environment): PostgresPrograms {
  if (isSet(env['LOCKSTEP_POSTGRES_BIN'])) {
    const folder = env['LOCKSTEP_POSTGRES_BIN'];
    return hasPrograms(folder) ? { kind: 'INSTALLED', folder } : { kind: 'MISSING', why: `LOCKSTEP_POSTGRES_BIN: ${folder} holds no initdb and postgres` };
  }
  const sideBySide = fs.existsSync(SIDE_BY_SIDE) ? fs.readdirSync(SIDE_BY_SIDE).sort((a, b) => Number(b) - Number(a)).map((version) => path.join(SIDE_BY_SIDE, version, 'bin')) : [];
  const inPath = (env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '').map(realInitdbFolder);
  const folder = [...inPath, ...sideBySide, cachedPrograms(env)].find(hasPrograms);
  return folder === undefined ? { kind: 'MISSING', why: 'no PostgreSQL is installed; run node integration/foreign/install.mjs' } : { kind: 'INSTALLED', folder };
}

/** PATH may hold links to single programs: the others lie where the link leads. */
function realInitdbFolder(folder: string): string {
  const initdb = path.join(folder, 'initdb');
  return fs.existsSync(initdb) ? path.dirname(fs.realpathSync(initdb)) : folder;
}
