/** Runs the user's function as a member of the group, and reports what came of it. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { MemberFinishedSchema, MemberPreparedSchema, Numerics, type Assignment, type FinishedCall, type TrainJobSpec } from '@lockstep/contract';
import type { SelectedBackend } from '@lockstep/backend';
import { ArtifactClient, VersionCache } from '@lockstep/client';
import { RpcError, openChannel } from '@lockstep/rpc';
import type { ExchangeHandle } from '@lockstep/exchange';
import type { ElasticCollective } from '@lockstep/membership';
import { decodeCanonicalJson, installTraining, type CallRecord, type Replay, type Training, type TrainingRuntime } from '@lockstep/training';
import type { ChildConfig } from '../child-config';
import { CheckpointWriter } from './checkpoint-writer';
import type { ElasticMembership } from './elastic-membership';
import { exportNotes } from './export-model';
import { makeFnArgs } from './fn-args';
import { checkDigest, decodeJobState, encodeJobState } from './job-state-file';
import type { MemberLink } from './member-link';
import { loadFunction } from './module-loader';
import { trainModel, type ModuleWork, type WorkParts } from './module-work';
import { ProgressReporter } from './progress-reporter';
import { readResumePoint } from './resume-checkpoint';
import { TrainingReport } from './training-report';
import { runDiscovery, runTrialJob } from './tuner-work';

export interface ModuleRun {
  readonly config: ChildConfig;
  /** The first one: what the job is. */
  readonly assignment: Assignment;
  /** How this member begins: with the others, or in a job that runs. */
  readonly entrance: 'START' | 'JOIN';
  readonly collective: ElasticCollective;
  readonly membership: ElasticMembership;
  readonly backend: SelectedBackend;
  readonly exchange: ExchangeHandle;
  readonly link: MemberLink;
}

/** What a member has when its module has returned. */
export interface FinishedModule {
  /** Publishes what came of it, when the coordinator says so. */
  commit(generation: bigint): Promise<void>;
  close(): Promise<void>;
}

const MODULE_FILE = 'module.js';

/** @throws whatever the module throws; NoModelError when it exported none */
export async function runModule(run: ModuleRun): Promise<FinishedModule> {
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
    const checkpoints = new CheckpointWriter({
      job: config.job, artifacts, policy: spec.checkpoint, nowMs: () => performance.now(),
      generation: () => Number(run.membership.current?.generation?.number ?? 0n),
      state: () => training.state(),
      onWritten: (value) => link.send({ case: 'checkpoint', value }),
      onFailed: (e) => process.stderr.write(`${config.worker}: a checkpoint was not written, the next one will be tried: ${RpcError.from(e).message}\n`),
    });
    const report: TrainingReport = new TrainingReport(progress, link.cells, (step) => checkpoints.stepDone(step.position, report.steps, collective.rank === 0));
    const training: Training = installTraining(backend.tf, {
      seed: Number(spec.seed), collective, observer: report.observer, replay: replayOf(spec), ...(await entranceOf(run, cache, report)),
    });
    collective.provideState({
      get exact() { return training.exact; },
      take: () => encodeJobState({ steps: report.steps, state: training.state() }),
      check: checkDigest,
    });
    const { fnArgs, reader } = await makeFnArgs({ run, spec, cache, training, servingModelDir, modelRunDir });
    const call = loadFunction(await cache.file(spec.module, MODULE_FILE), spec.function);
    const work = await runFunction({ run, call, fnArgs, training }, spec, cache);
    await checkpoints.settled();
    progress.flush();
    const state = training.state();
    const traffic = run.exchange.stats();
    link.send({ case: 'finished', value: create(MemberFinishedSchema, {
      stateDigest: state.digest, steps: BigInt(report.steps), hasModel: work.hasResult,
      report: {
        replicaComputations: BigInt(report.replicaComputations),
        exchangeSentBytes: BigInt(traffic.sentBytes), exchangeReceivedBytes: BigInt(traffic.receivedBytes),
        exchangePlannedSentBytes: BigInt(traffic.plannedSentBytes), exchangeWireSentBytes: BigInt(traffic.wireSentBytes),
      },
    }) });
    return {
      commit: async (generation) => {
        const notes = [...(spec.tuner ? [] : exportNotes(backend.name)), ...numericsNotes(assignment)];
        const result = await work.commit({ artifacts, assignment, generation, job: config.job, steps: report.steps, state, notes });
        link.send({ case: 'modelCommitted', value: { $typeName: 'lockstep.coordinator.v1.ModelCommitted', result } });
      },
      close: async () => {
        await reader.close();
        channel.close();
      },
    };
  } catch (e) {
    channel.close();
    throw e;
  }
}

/** Runs the job's function for what the job is. */
function runFunction(parts: WorkParts, { tuner }: TrainJobSpec, cache: VersionCache): Promise<ModuleWork> {
  switch (tuner?.part.case) {
    case 'discovery':
      return runDiscovery(parts);
    case 'trial':
      return runTrialJob(parts, tuner.part.value, cache);
    case undefined:
      return trainModel(parts);
  }
}

/** Where this member goes on: at the beginning, from a checkpoint with all others, or in the middle of a job that runs. */
async function entranceOf({ entrance, assignment, collective, link }: ModuleRun, cache: VersionCache, report: TrainingReport): Promise<Pick<TrainingRuntime, 'resume' | 'join'>> {
  if (entrance === 'JOIN') {
    return {
      join: {
        calls: assignment.finishedCalls.map(toCallRecord),
        enter: () => {
          link.send({ case: 'prepared', value: create(MemberPreparedSchema) });
          const { steps, state } = decodeJobState(collective.join({ check: checkDigest }));
          report.steps = steps;
          return state;
        },
      },
    };
  }
  collective.start();
  if (assignment.checkpoint === '') return {};
  const { steps, state } = await readResumePoint(assignment.checkpoint, cache);
  report.steps = steps;
  return { resume: state };
}

/** What the module's own datasets are held to: they are iterated again where processes join, or go on from a checkpoint. */
function replayOf({ workers, checkpoint, numerics }: TrainJobSpec): Replay {
  const interval = checkpoint?.interval;
  const isCheckpointed = (checkpoint?.everySteps ?? 0) > 0 || (interval !== undefined && (interval.seconds > 0n || interval.nanos > 0));
  if ((workers?.max ?? 1) <= 1 && !isCheckpointed) return 'NONE';
  return numerics === Numerics.RELAXED ? 'SAME_SHAPES' : 'SAME_BITS';
}

const toCallRecord = ({ kind, label, digest, resultJson }: FinishedCall): CallRecord => ({ kind, label, digest, result: decodeCanonicalJson(resultJson) });

/** RELAXED admits whatever computes: then equal bytes are not promised. */
const numericsNotes = ({ spec }: Assignment): readonly string[] =>
  (spec?.numerics === Numerics.RELAXED ? ['RELAXED numerics: the bytes may depend on which workers took part'] : []);
