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

/** Withdraws what this process announced, and nothing else. */
export function retractCluster(folder: string): void {
  if (readClusterFile(folder)?.pid === process.pid) rmSync(clusterFile(folder), { force: true });
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
  const local = localCluster(folder);
  if (!local) {
    throw new CliError(`no cluster runs on ${folder}`, 'Start one with `lockstep up` in another terminal, or name one with --coordinator and --artifact.');
  }
  return { coordinator: coordinator ?? local.coordinator, artifact: artifact ?? local.artifact };
}

/** The cluster that runs on a data folder now. */
export function localCluster(folder: string): Cluster | undefined {
  const { coordinator, artifact, pid } = readClusterFile(folder) ?? {};
  if (coordinator === undefined || artifact === undefined || pid === undefined || !isAlive(pid)) return undefined;
  return { coordinator, artifact };
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
