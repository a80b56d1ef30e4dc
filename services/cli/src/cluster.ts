import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { CliError } from './cli-error';
import { makeFolder } from './make-folder';

/** Where the services of a cluster listen. */
export interface Cluster {
  readonly coordinator: string;
  readonly artifact: string;
  readonly tuner: string;
}

/** What the global flags and the environment say about the cluster. */
export interface ClusterOptions {
  readonly data?: string;
  readonly coordinator?: string;
  readonly artifact?: string;
  readonly tuner?: string;
}

/** The data folder of the local cluster: --data, else LOCKSTEP_DATA, else ~/.lockstep. */
export const dataFolder = (options: ClusterOptions): string =>
  resolve(options.data ?? process.env['LOCKSTEP_DATA'] ?? join(homedir(), '.lockstep'));

const clusterFile = (folder: string): string => join(folder, 'cluster.json');

/** Tells other commands where the cluster of this folder listens. */
export function announceCluster(folder: string, cluster: Cluster): void {
  makeFolder(folder);
  const temporary = `${clusterFile(folder)}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify({ ...cluster, pid: process.pid })}\n`);
  renameSync(temporary, clusterFile(folder));
}

/** Withdraws what this process announced, and nothing else. */
export function retractCluster(folder: string): void {
  if (readClusterFile(folder)?.pid === process.pid) rmSync(clusterFile(folder), { force: true });
}

/** Environment variables that name services. */
const VARIABLES: Readonly<Record<keyof Cluster, string>> = { coordinator: 'LOCKSTEP_COORDINATOR', artifact: 'LOCKSTEP_ARTIFACT', tuner: 'LOCKSTEP_TUNER' };

/**
 * Finds services: flags, then LOCKSTEP_COORDINATOR, LOCKSTEP_ARTIFACT and LOCKSTEP_TUNER, then the local cluster of the data folder.
 *
 * @param wanted the services that the command talks to
 * @throws CliError that says how to start one
 */
export function findCluster<S extends keyof Cluster>(options: ClusterOptions, ...wanted: readonly S[]): Pick<Cluster, S> {
  const folder = dataFolder(options);
  const found = wanted.map((service): readonly [S, string] => {
    const address = options[service] ?? process.env[VARIABLES[service]] ?? localCluster(folder)?.[service];
    if (address !== undefined) return [service, address];
    throw new CliError(`no cluster runs on ${folder}`, `Start one with \`lockstep up\` in another terminal, or name one with ${inWords(wanted.map((each) => `--${each}`))}.`);
  });
  return Object.fromEntries(found) as Pick<Cluster, S>;
}

const inWords = (names: readonly string[]): string => (names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`);

/** The cluster that runs on a data folder now. */
export function localCluster(folder: string): Cluster | undefined {
  const { coordinator, artifact, tuner, pid } = readClusterFile(folder) ?? {};
  if (coordinator === undefined || artifact === undefined || tuner === undefined || pid === undefined || !isAlive(pid)) return undefined;
  return { coordinator, artifact, tuner };
}

function readClusterFile(folder: string): (Partial<Cluster> & { readonly pid?: number }) | undefined {
  try {
    return JSON.parse(readFileSync(clusterFile(folder), 'utf8')) as Partial<Cluster> & { pid?: number };
  } catch {
    return undefined; // no file: no cluster was started here, or it has left cleanly
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (e) {
    return e instanceof Error && 'code' in e && e.code === 'EPERM';
  }
}
