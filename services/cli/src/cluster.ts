import { mkdirSync, readFileSync, rmSync, writeFileSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { CliError } from './cli-error';

/** Where the services of a cluster listen. */
export interface Cluster {
  readonly coordinator: string;
  readonly artifact: string;
}

/** What the global flags and the environment say about the cluster. */
export interface ClusterOptions {
  readonly data?: string;
  readonly coordinator?: string;
  readonly artifact?: string;
}

/** The data folder of the local cluster: --data, else LOCKSTEP_DATA, else ~/.lockstep. */
export const dataFolder = (options: ClusterOptions): string =>
  resolve(options.data ?? process.env['LOCKSTEP_DATA'] ?? join(homedir(), '.lockstep'));

const clusterFile = (folder: string): string => join(folder, 'cluster.json');

/** Tells other commands where the cluster of this folder listens. */
export function announceCluster(folder: string, cluster: Cluster): void {
  mkdirSync(folder, { recursive: true });
  const temporary = `${clusterFile(folder)}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify({ ...cluster, pid: process.pid })}\n`);
  renameSync(temporary, clusterFile(folder));
}

export function retractCluster(folder: string): void {
  rmSync(clusterFile(folder), { force: true });
}

/**
 * Finds the services: flags, then LOCKSTEP_COORDINATOR and LOCKSTEP_ARTIFACT, then the local cluster of the data folder.
 *
 * @throws CliError that says how to start one
 */
export function findCluster(options: ClusterOptions): Cluster {
  const coordinator = options.coordinator ?? process.env['LOCKSTEP_COORDINATOR'];
  const artifact = options.artifact ?? process.env['LOCKSTEP_ARTIFACT'];
  if (coordinator !== undefined && artifact !== undefined) return { coordinator, artifact };
  const folder = dataFolder(options);
  const local = readLocal(folder);
  if (!local) {
    throw new CliError(`no cluster runs on ${folder}`, 'Start one with `lockstep up` in another terminal, or name one with --coordinator and --artifact.');
  }
  return { coordinator: coordinator ?? local.coordinator, artifact: artifact ?? local.artifact };
}

function readLocal(folder: string): Cluster | undefined {
  let text: string;
  try {
    text = readFileSync(clusterFile(folder), 'utf8');
  } catch {
    return undefined; // no file: no cluster was started here, or it has left cleanly
  }
  const value = JSON.parse(text) as Partial<Cluster> & { pid?: number };
  if (typeof value.coordinator !== 'string' || typeof value.artifact !== 'string') return undefined;
  return value.pid !== undefined && !isAlive(value.pid) ? undefined : { coordinator: value.coordinator, artifact: value.artifact };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (e) {
    return e instanceof Error && 'code' in e && e.code === 'EPERM';
  }
}
