/**
 * A PostgreSQL server for a test file: with a password, on a port of 127.0.0.1, its data in a temporary folder.
 *
 * 1. A shell keeps it: when this process ends, however it ends, the shell reads the end of its input, stops the server and removes the folder.
 * 2. PostgreSQL refuses to run as root; then it runs as `postgres` where there is that user, else as `nobody`.
 */
import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import type { Readable, Writable } from 'node:stream';
import { findPostgres } from './postgres-programs';

/** A running server. */
export interface PostgresServer {
  /** postgres://... of a superuser, with the password, to the database `postgres`. */
  readonly url: string;
  /** Where its data is until it is stopped. */
  readonly folder: string;
  /** Makes an empty database. @returns its URL */
  createDatabase(): Promise<string>;
  /** Ends the server in an orderly way and removes its data. */
  stop(): Promise<void>;
  /** Ends connections, stops in an orderly way and starts on the same data and port. */
  restart(): Promise<void>;
  /** SIGKILL to every process of the server. The data stays, for `restart`. */
  kill(): void;
}

const USER = 'lockstep';
const START_TIMEOUT_MS = 60_000;
const READY = 'database system is ready to accept connections';
const SHOWN_CHARS = 4_000;
const NOBODY = 65_534;

/**
 * $1 programs, $2 folder, $3 port. Says the server's process id, and stops it when it has read a line or the end of input; without the line it
 * removes the folder too.
 */
const KEEPER = `
"$1/postgres" -D "$2/data" -p "$3" -c listen_addresses=127.0.0.1 -c unix_socket_directories="$2" -c shared_buffers=32MB </dev/null &
server=$!
echo "$server"
read answer
kill -INT "$server" 2>/dev/null
wait "$server"
[ "$answer" = keep ] || rm -rf "$2"
`;

type Keeper = ChildProcessByStdio<Writable, Readable, Readable>;

interface Running {
  readonly keeper: Keeper;
  readonly serverPid: number;
  readonly ended: Promise<void>;
}

/** Whom the server runs as; nothing: as this process. */
interface Owner {
  readonly uid?: number;
  readonly gid?: number;
}

/** Starts a server. @throws Error when there are no programs, or with the end of their output when they fail */
export async function startPostgres(): Promise<PostgresServer> {
  const programs = findPostgres(process.env);
  if (programs.kind === 'MISSING') throw new Error(programs.why);
  const owner = process.getuid?.() === 0 ? otherUser() : {};
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lockstep-postgres-'));
  const password = randomBytes(12).toString('hex');
  const port = await freePort();
  let bin = programs.folder;
  try {
    bin = readablePrograms(bin, folder, owner);
    initialise(bin, folder, password, owner);
  } catch (e) {
    fs.rmSync(folder, { recursive: true, force: true });
    throw e;
  }
  const start = (): Promise<Running> => startKeeper([bin, folder, String(port)], folder, owner);
  let running = await start();
  const end = async (answer: string): Promise<void> => {
    running.keeper.stdin.end(answer);
    await running.ended;
  };
  const urlOf = (database: string): string => `postgres://${USER}:${password}@127.0.0.1:${port}/${database}`;
  let databases = 0;
  return {
    url: urlOf('postgres'),
    folder,
    createDatabase: async () => {
      const name = `test_${++databases}`;
      const client = new Client(urlOf('postgres'));
      await client.connect();
      try {
        await client.query(`create database ${name}`);
      } finally {
        await client.end();
      }
      return urlOf(name);
    },
    stop: async () => {
      await end('');
      fs.rmSync(folder, { recursive: true, force: true });
    },
    restart: async () => {
      await end('keep\n');
      running = await start();
    },
    kill: () => {
      for (const pid of [running.serverPid, ...childrenOf(running.serverPid)]) killHard(pid);
    },
  };
}

/** Whom the server runs as when we are root. */
function otherUser(): Owner {
  const idOf = (flag: string): number => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout.trim() || NOBODY);
  return { uid: idOf('-u'), gid: idOf('-g') };
}

/** Programs in our own cache may lie where that user cannot go: then it gets a copy. */
function readablePrograms(programs: string, folder: string, owner: Owner): string {
  if (owner.uid === undefined || owner.gid === undefined) return programs;
  fs.chownSync(folder, owner.uid, owner.gid);
  if (spawnSync('test', ['-x', path.join(programs, 'postgres')], { ...owner, cwd: folder }).status === 0) return programs;
  const copy = path.join(folder, 'programs');
  fs.cpSync(path.dirname(programs), copy, { recursive: true, verbatimSymlinks: true });
  spawnSync('chown', ['-R', `${owner.uid}:${owner.gid}`, copy]); // Its keeper removes them.
  return path.join(copy, path.basename(programs));
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error('no free port'))));
    });
  });
}

function initialise(programs: string, folder: string, password: string, owner: Owner): void {
  const passwordFile = path.join(folder, 'password');
  fs.writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (owner.uid !== undefined && owner.gid !== undefined) fs.chownSync(passwordFile, owner.uid, owner.gid);
  const { status, error, stdout, stderr } = spawnSync(path.join(programs, 'initdb'), [
    '-D', path.join(folder, 'data'), '-U', USER, `--pwfile=${passwordFile}`, '-A', 'scram-sha-256', '-E', 'UTF8', '--locale=C', '--no-sync',
  ], { ...owner, cwd: folder, encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' }, timeout: START_TIMEOUT_MS });
  if (status !== 0) throw new Error(`initdb failed: ${error?.message ?? `${stdout}${stderr}`.slice(-SHOWN_CHARS)}`);
  fs.rmSync(passwordFile);
}

function startKeeper(args: readonly string[], folder: string, owner: Owner): Promise<Running> {
  const keeper = spawn('/bin/sh', ['-c', KEEPER, 'postgres-keeper', ...args], {
    ...owner, cwd: folder, detached: true, stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, LC_ALL: 'C' },
  });
  keeper.stdin.on('error', () => undefined); // It has ended: `ended` tells.
  const ended = new Promise<void>((resolve) => keeper.once('close', () => resolve()));
  return new Promise((resolve, reject) => {
    let [pid, log] = ['', ''];
    const fail = (why: string): void => {
      clearTimeout(timer);
      keeper.stdin.end();
      reject(new Error(`PostgreSQL did not start: ${why}\n${log}`));
    };
    const timer = setTimeout(() => fail(`not ready within ${START_TIMEOUT_MS} ms`), START_TIMEOUT_MS);
    keeper.once('error', (e) => fail(e.message));
    keeper.stdout.on('data', (chunk: Buffer) => { pid += chunk.toString(); });
    keeper.stderr.on('data', (chunk: Buffer) => {
      log = `${log}${chunk.toString()}`.slice(-SHOWN_CHARS);
      if (!log.includes(READY)) return;
      clearTimeout(timer);
      resolve({ keeper, serverPid: Number(pid), ended });
    });
    void ended.then(() => fail('it ended'));
  });
}

function childrenOf(parent: number): readonly number[] {
  const { error, stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  if (error) return []; // No ps: they end by themselves when they miss their parent.
  return stdout.split('\n').map((line) => line.trim().split(/\s+/).map(Number)).flatMap(([pid, ppid]) => (pid !== undefined && ppid === parent ? [pid] : []));
}

function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** `describe` where PostgreSQL is installed; elsewhere the tests are counted as skipped, with the reason in their title. */
export function describeWithPostgres(title: string, body: () => void): void {
  const programs = findPostgres(process.env);
  switch (programs.kind) {
    case 'INSTALLED': return describe(title, body);
    case 'MISSING': return describe.skip(`${title} (skipped: ${programs.why})`, body);
  }
}
