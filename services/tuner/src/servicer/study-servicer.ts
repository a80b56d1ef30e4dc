/** The rpcs about studies: translates requests, checks them, answers. */
import { create } from '@bufbuild/protobuf';
import {
  CreateStudyRequestSchema, DeleteStudyResponseSchema, HyperbandSchema, JobEvaluationSchema, ListStudiesResponseSchema, StudySpecSchema,
  type ExtendStudyRequest, type StudyEvent, type StudySpec, type TunerService, type WatchStudyRequest,
} from '@lockstep/contract';
import { newStudy } from '@lockstep/search';
import { RpcError, type CallContext, type ServiceImplementation } from '@lockstep/rpc';
import { cutPage } from '@lockstep/storage';
import { fromParameters } from '../convert/space-proto';
import { resolveLimits } from '../convert/resolve-limits';
import { resolveSpec } from '../convert/resolve-spec';
import { toStudyMessage } from '../convert/study-proto';
import type { StudyJobs } from '../jobs/study-jobs';
import { TunerError } from '../study/tuner-error';
import type { Tuner } from '../study/tuner';
import { checkFurther } from './further-parameters';
import { RequestCheck } from './request-check';
import { requestDigest } from './request-digest';
import { readWarmStart } from './warm-start';

type StudyRpcs = 'discoverStudy' | 'createStudy' | 'getStudy' | 'listStudies' | 'extendStudy' | 'stopStudy' | 'deleteStudy' | 'watchStudy';

const MAX_WARM_START_STUDIES = 20;

export function studyServicer(tuner: Tuner, around: { nowMs(): number; newId(): string; readonly jobs: StudyJobs }): Pick<ServiceImplementation<typeof TunerService>, StudyRpcs> {
  return {
    discoverStudy: async (request, { signal }) => {
      const check = new RequestCheck();
      const requestId = check.requestId(request.requestId);
      if (!request.jobs) check.fault('jobs', 'is required: the job that runs the module');
      check.done();
      return around.jobs.discover(request.jobs ?? create(JobEvaluationSchema), requestId, signal);
    },
    createStudy: async (request) => {
      const check = new RequestCheck();
      const id = check.studyId('study_id', request.studyId);
      const requestId = check.requestId(request.requestId);
      if (!request.spec) check.fault('spec', 'is required');
      const given = request.spec ?? create(StudySpecSchema);
      const resolved = request.spec ? resolveSpec(given, check.violations) : undefined;
      const sources = given.warmStartFrom.map((name, i) => check.studyName(`spec.warm_start_from[${i}]`, name));
      if (sources.length > MAX_WARM_START_STUDIES) check.fault('spec.warm_start_from', `${sources.length} studies, at most ${MAX_WARM_START_STUDIES}`);
      if (sources.length > 0 && given.space.case === 'discovery') check.fault('spec.warm_start_from', 'what there is to search must be known: say search_space');
      const warm = check.violations.length === 0 && resolved ? await readWarmStart(tuner, sources, resolved.objectives, check.violations) : { trials: [], skipped: [] };
      if (check.violations.length === 0 && resolved?.spec.jobs) await around.jobs.check(resolved.spec.jobs, resolved.space, check.violations);
      check.done();
      if (!resolved) throw new Error('a request without a spec passed its check');
      const study = newStudy(`studies/${id ?? around.newId()}`, resolved.space, resolved.objectives, resolved.rules, around.nowMs());
      const digest = requestDigest(CreateStudyRequestSchema, create(CreateStudyRequestSchema, { ...request, requestId: '' }));
      const made = await tuner.create(study, resolved, warm, { id: requestId, digest });
      around.jobs.take(made);
      return toStudyMessage(made);
    },
    getStudy: async ({ name }) => toStudyMessage(await tuner.get(named(name))),
    listStudies: async (request) => {
      const check = new RequestCheck();
      const query = { rpc: 'ListStudies' };
      const { size, after } = check.page(query, request);
      check.done();
      const rows = await tuner.store.list({ limit: size + 1, ...(after !== undefined && { before: after }) });
      const page = cutPage(query, rows, size, ({ order }) => order);
      return create(ListStudiesResponseSchema, { studies: page.rows.map(toStudyMessage), nextPageToken: page.nextPageToken });
    },
    extendStudy: async (request) => {
      const check = new RequestCheck();
      const name = check.studyName('name', request.name);
      const parameters = fromParameters(request.parameters, 'parameters', check.violations);
      const limits = resolveLimits(request, '', 'no change', check.violations);
      check.done();
      await checkFurther(tuner, name, parameters);
      const extended = await tuner.extend(name, { limits, parameters }, (spec) => extendAlgorithm(spec, request));
      around.jobs.take(extended);
      return toStudyMessage(extended);
    },
    stopStudy: async ({ name }) => toStudyMessage(await tuner.stop(named(name))),
    deleteStudy: async ({ name }) => {
      await tuner.delete(named(name));
      return create(DeleteStudyResponseSchema);
    },
    watchStudy: (request, context) => watch(tuner, request, context),
  };
}

function named(name: string): string {
  const check = new RequestCheck();
  check.studyName('name', name);
  check.done();
  return name;
}

/** The spec with an algorithm that has more to do. @throws TunerError INVALID_ARGUMENT */
function extendAlgorithm(spec: StudySpec, { maxEpochs, iterations }: ExtendStudyRequest): { readonly spec: StudySpec; readonly grew: boolean } {
  const check = new RequestCheck();
  const { algorithm } = spec;
  const grows = (field: string, before: number, after: number | undefined): boolean => {
    if (after !== undefined && after < before) check.fault(field, `is ${before} and cannot become ${after}`);
    return after !== undefined && after !== before;
  };
  const extended = ((): StudySpec['algorithm'] | undefined => {
    switch (algorithm.case) {
      case 'hyperband': {
        const { value } = algorithm;
        const longer = grows('max_epochs', value.maxEpochs, maxEpochs);
        const more = grows('iterations', value.iterations, iterations);
        if (!longer && !more) return undefined;
        // What was planned keeps its schedule; the longer sweeps come after it.
        const earlierSweeps = longer ? [...value.earlierSweeps, ...Array.from({ length: value.iterations }, () => ({ $typeName: 'lockstep.tuner.v1.HyperbandSweep' as const, maxEpochs: value.maxEpochs, factor: value.factor }))] : value.earlierSweeps;
        return { case: 'hyperband', value: create(HyperbandSchema, { ...value, maxEpochs: maxEpochs ?? value.maxEpochs, iterations: iterations ?? value.iterations, earlierSweeps }) };
      }
      case 'asha': {
        if (iterations !== undefined) check.fault('iterations', 'ASHA has none: it goes on until the study\'s limits');
        return grows('max_epochs', algorithm.value.maxEpochs, maxEpochs) ? { case: 'asha', value: { ...algorithm.value, maxEpochs: maxEpochs ?? algorithm.value.maxEpochs } } : undefined;
      }
      case 'randomSearch':
      case 'gridSearch':
      case 'bayesianOptimization':
      case undefined:
        if (maxEpochs !== undefined) check.fault('max_epochs', 'is of Hyperband and ASHA: the study has another algorithm');
        if (iterations !== undefined) check.fault('iterations', 'is of Hyperband: the study has another algorithm');
        return undefined;
    }
  })();
  check.done();
  return extended ? { spec: create(StudySpecSchema, { ...spec, algorithm: extended }), grew: true } : { spec, grew: false };
}

/** Events from the log until the study is deleted. */
async function* watch(tuner: Tuner, request: WatchStudyRequest, { signal }: CallContext): AsyncGenerator<StudyEvent> {
  const name = named(request.name);
  const after = await beginningOf(tuner, name, request.afterSequence);
  for await (const event of tuner.store.watchEvents(name, after, signal)) {
    yield event;
    // A study of the same name that was made since is another one: its watchers begin anew.
    if (event.event.case === 'deleted') return;
  }
  throw new RpcError('UNAVAILABLE', `the tuner leaves: watch ${name} again after the last event seen`, { reason: 'LEAVING' });
}

/**
 * After which event a watcher begins: who names none, with the life of the study that has the name now. Of one that is gone the end is told, once.
 *
 * @throws TunerError NO_SUCH_STUDY
 */
async function beginningOf(tuner: Tuner, name: string, after: bigint): Promise<bigint> {
  // Looked at first: if the study is deleted meanwhile, that comes after.
  const deletion = await tuner.store.lastDeletion(name) ?? 0n;
  try {
    await tuner.get(name);
    return after > 0n ? after : deletion;
  } catch (e) {
    const isGone = e instanceof TunerError && e.reason === 'NO_SUCH_STUDY' && (await tuner.store.lastDeletion(name) ?? 0n) > after;
    if (!isGone) throw e;
    return after;
  }
}
