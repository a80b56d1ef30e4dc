/** `lockstep up`: coordinator, artifact service, tuner and N workers as processes on loopback, until Ctrl-C. */
import { join } from 'node:path';
import { CliError, EXIT, type ExitCode } from './cli-error';
import { announceCluster, dataFolder, localCluster, retractCluster, type Cluster, type ClusterOptions } from './cluster';
import { takenListeners } from './keras-listeners';
import { makeFolder } from './make-folder';
import { ManagedProcess } from './managed-process';
import { supervise } from './supervise';
import type { Output } from './output';

/** Before a service that does not end is killed. */
const LEAVE_TIMEOUT_MS = 8000;

export interface UpOptions extends ClusterOptions {
  readonly workers: number;
  /** Port of the coordinator; the artifact service takes the next one, the tuner the one after it. 0: any free ones. */
  readonly port: number;
  /** Where the tuner serves KerasTuner's workers: HOST:PORT or HOST:PORT=STUDY each. */
  readonly kerasTuner: readonly string[];
}

/** Starts a local cluster and runs until it is interrupted or a service ends by itself. */
export async function up(options: UpOptions, output: Output): Promise<ExitCode> {
  const folder = dataFolder(options);
  refuseSecond(folder);
  makeFolder(folder);
  const interrupted = interruption();
  const leave = new AbortController();
  const started: ManagedProcess[] = [];
  const start = (name: string, packageName: string, args: readonly string[]): ManagedProcess => {
    const managed = new ManagedProcess(name, packageName, args, join(folder, 'logs', `${name}.log`));
    started.push(managed);
    return managed;
  };
  const listen = (offset: number): string => `127.0.0.1:${options.port === 0 ? 0 : options.port + offset}`;
  const artifactArgs = (address: string): readonly string[] => ['--listen', address, '--data', join(folder, 'artifact')];
  const coordinatorArgs = (address: string, artifact: string): readonly string[] => ['--listen', address, '--data', join(folder, 'coordinator'), '--artifact', artifact];
  const tunerArgs = (address: string, { coordinator, artifact }: Omit<Cluster, 'tuner'>, kerasTuner: readonly string[]): readonly string[] =>
    ['--listen', address, '--data', join(folder, 'tuner'), '--coordinator', coordinator, '--artifact', artifact, ...kerasTuner.flatMap((listener) => ['--keras-tuner', listener])];
  try {
    const artifactProcess = start('artifact', '@lockstep/artifact', artifactArgs(listen(1)));
    const artifact = (await artifactProcess.ready()).listening;
    const coordinatorProcess = start('coordinator', '@lockstep/coordinator', coordinatorArgs(listen(0), artifact));
    const coordinator = (await coordinatorProcess.ready()).listening;
    const tunerProcess = start('tuner', '@lockstep/tuner', tunerArgs(listen(2), { coordinator, artifact }, options.kerasTuner));
    const workers = Array.from({ length: options.workers }, (_, i) => {
      const args = ['--coordinator', coordinator, '--name', `w${i + 1}`, '--data', join(folder, `worker-${i + 1}`), '--leave-timeout-ms', String(LEAVE_TIMEOUT_MS)];
      return { first: start(`worker-${i + 1}`, '@lockstep/worker', args), args };
    });
    const [{ listening: tuner, kerasTuner: kerasAddresses }] = await Promise.all([tunerProcess.ready(), ...workers.map((w) => w.first.ready())]);
    const cluster: Cluster = { coordinator, artifact, tuner };
    const kerasTuner = takenListeners(options.kerasTuner, kerasAddresses);
    announceCluster(folder, cluster);
    output.document({ ...cluster, kerasTuner, data: folder, workers: workers.map((w) => w.first.name), pids: Object.fromEntries(started.map((p) => [p.name, p.pid])) });
    output.line(`coordinator  ${coordinator}`);
    output.line(`artifact     ${artifact}`);
    output.line(`tuner        ${tuner}`);
    for (const listener of kerasTuner) output.line(`keras-tuner  ${listener}`);
    output.line(`workers      ${workers.map((w) => w.first.name).join(', ')}`);
    output.line(`data         ${folder}`);
    output.line('Ready. Ctrl-C stops it.');
    const restart = (name: string, packageName: string, args: readonly string[]) => async (): Promise<ManagedProcess> => {
      const next = start(name, packageName, args);
      await next.ready();
      return next;
    };
    // What ends by itself is started again, where it was: jobs go on.
    const ended = await Promise.race([
      interrupted,
      supervise(artifactProcess, restart('artifact', '@lockstep/artifact', artifactArgs(artifact)), output, leave.signal),
      supervise(coordinatorProcess, restart('coordinator', '@lockstep/coordinator', coordinatorArgs(coordinator, artifact)), output, leave.signal),
      supervise(tunerProcess, restart('tuner', '@lockstep/tuner', tunerArgs(tuner, cluster, kerasTuner)), output, leave.signal),
      ...workers.map(({ first, args }) => supervise(first, restart(first.name, '@lockstep/worker', args), output, leave.signal)),
    ]);
    if (ended === 'INTERRUPTED') return EXIT.OK;
    throw ended;
  } finally {
    leave.abort();
    retractCluster(folder);
    output.remark('stopping');
    for (const managed of started.reverse()) await managed.stop();
  }
}

function refuseSecond(folder: string): void {
  const running = localCluster(folder);
  if (!running) return;
  throw new CliError(`a cluster runs on ${folder} already (coordinator ${running.coordinator})`, 'Use it, stop it, or give this one another folder with --data.');
}

function interruption(): Promise<'INTERRUPTED'> {
  return new Promise((resolve) => {
    // `on`, not `once`: a second Ctrl-C must not end `up` before its services.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve('INTERRUPTED'));
  });
}
