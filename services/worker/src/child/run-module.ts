/** Runs the user's function as a member of the group, and reports what came of it. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { MemberFinishedSchema, Numerics, type Assignment, type JobResult } from '@lockstep/contract';
import type { SelectedBackend } from '@lockstep/backend';
import { ArtifactClient, VersionCache } from '@lockstep/client';
import { openChannel } from '@lockstep/rpc';
import type { ExchangeHandle } from '@lockstep/exchange';
import type { Collective } from '@lockstep/reduction';
import { installTraining } from '@lockstep/training';
import type { ChildConfig } from '../child-config';
import { commitModel } from './commit-model';
import { exportNotes } from './export-model';
import { makeFnArgs } from './fn-args';
import { NoModelError } from './job-error';
import type { MemberLink } from './member-link';
import { loadFunction } from './module-loader';
import { ProgressReporter } from './progress-reporter';
import { TrainingReport } from './training-report';

export interface ModuleRun {
  readonly config: ChildConfig;
  readonly assignment: Assignment;
  readonly collective: Collective;
  readonly backend: SelectedBackend;
  readonly exchange: ExchangeHandle;
  readonly link: MemberLink;
}

const MODULE_FILE = 'module.js';

/** @throws whatever the module throws; NoModelError when it exported none */
export async function runModule(run: ModuleRun): Promise<void> {
  const { config, assignment, collective, backend, link } = run;
  const { spec } = assignment;
  if (!spec) throw new Error('the assignment has no spec');
  const channel = openChannel(assignment.artifactAddress);
  const artifacts = new ArtifactClient(channel);
  try {
    const cache = new VersionCache(artifacts, config.cacheFolder);
    const servingModelDir = join(config.workFolder, 'serving-model');
    const modelRunDir = join(config.workFolder, 'model-run');
    await mkdir(modelRunDir, { recursive: true });
    const progress = new ProgressReporter((message) => link.send(message), () => performance.now());
    const report = new TrainingReport(progress, collective.rank === 0);
    const training = installTraining(backend.tf, { seed: Number(spec.seed), collective, observer: report.observer });
    const { fnArgs, ledger, reader } = await makeFnArgs({ run, spec, cache, training, servingModelDir, modelRunDir });
    const runFn = loadFunction(await cache.file(spec.module, MODULE_FILE), spec.function);
    await runFn(fnArgs);
    if (collective.rank === 0 && !existsSync(servingModelDir)) {
      throw new NoModelError(`${spec.function} failed to generate model. Call \`await fnArgs.exportModel(model)\` before it returns`);
    }
    progress.flush();
    const state = training.state();
    const traffic = run.exchange.stats();
    link.send({ case: 'finished', value: create(MemberFinishedSchema, {
      stateDigest: state.digest, steps: BigInt(report.steps),
      report: {
        replicaComputations: BigInt(report.replicaComputations), ledger: ledger.summary(),
        exchangeSentBytes: BigInt(traffic.sentBytes), exchangeReceivedBytes: BigInt(traffic.receivedBytes),
        exchangePlannedSentBytes: BigInt(traffic.plannedSentBytes), exchangeWireSentBytes: BigInt(traffic.wireSentBytes),
      },
    }) });
    if (collective.rank === 0) await commit(run, artifacts, servingModelDir, report.steps, state.digest);
    await reader.close();
    await collective.close();
  } finally {
    channel.close();
  }
}

/** RELAXED admits whatever computes: then equal bytes are not promised. */
const numericsNotes = ({ spec }: Assignment): readonly string[] =>
  (spec?.numerics === Numerics.RELAXED ? ['RELAXED numerics: the bytes may depend on which workers took part'] : []);

/** The chief waits for the coordinator's word that all members ended alike, and publishes. */
async function commit(run: ModuleRun, artifacts: ArtifactClient, folder: string, steps: number, stateDigest: string): Promise<void> {
  const command = await run.link.next();
  if (command.case !== 'commitModel') throw new Error(`the coordinator sent ${command.case ?? 'nothing'} instead of commitModel`);
  const result: JobResult = await commitModel({ artifacts, assignment: run.assignment, job: run.config.job, folder, steps, stateDigest, notes: [...exportNotes(run.backend.name), ...numericsNotes(run.assignment)] });
  run.link.send({ case: 'modelCommitted', value: { $typeName: 'lockstep.coordinator.v1.ModelCommitted', result } });
}
