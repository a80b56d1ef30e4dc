import {
  decideCompletion, formatExecutionName, parseExecutionName, sha256Of, VersionsError,
  type ExecutionArtifact, type ExecutionOutcome, type ExecutionSpec, type VersionQuery,
} from '@lockstep/versions';
import { logChange } from '../store/artifact-events';
import { executionStore, type ExecutionRecord } from '../store/execution-store';
import { requestStore } from '../store/request-store';
import { requireVersion } from '../store/version-store';
import type { ArtifactTransaction, PolicyContext } from './policy-context';
import { resolveVersion } from './version-policy';

/** A version in a role as a request names it. */
export interface ArtifactQuery {
  readonly key: string;
  readonly version: VersionQuery;
}

/** A request to begin an execution whose fields have been checked. */
export interface BeginRequest extends Omit<ExecutionSpec, 'inputs'> {
  readonly inputs: readonly ArtifactQuery[];
  readonly executionId?: string;
  readonly requestId?: string;
}

/** A request to end an execution whose fields have been checked. */
export interface CompletionRequest {
  readonly execution: string;
  readonly outcome: ExecutionOutcome;
  readonly detail: string;
  readonly outputs: readonly ArtifactQuery[];
}

/** Begins and ends executions. */
export class ExecutionPolicy {
  constructor(private readonly context: PolicyContext) {}

  /** @throws VersionsError VERSION_NOT_FOUND for an input, EXECUTION_EXISTS, REQUEST_ID_REUSED */
  async begin(request: BeginRequest): Promise<ExecutionRecord> {
    const { executionId, requestId, ...spec } = request;
    const digest = sha256Of(JSON.stringify([executionId ?? null, spec]));
    return this.context.database.transaction(async (transaction) => {
      const { query } = transaction;
      const before = requestId === undefined ? undefined : await requestStore.find(query, 'CreateExecution', requestId);
      if (before) {
        if (before.digest !== digest) {
          throw new VersionsError('REQUEST_ID_REUSED', `the request id belongs to another request, which made ${before.result}: choose a new id for every request`, { resource: before.result });
        }
        return requireExecution(transaction, parseExecutionName(before.result) ?? '');
      }
      const id = executionId ?? this.context.newId();
      const resource = formatExecutionName(id);
      if (await executionStore.findState(query, id)) throw new VersionsError('EXECUTION_EXISTS', `${resource} exists already: choose another execution_id`, { resource });
      const nowMs = this.context.now();
      await executionStore.insert(query, id, { ...spec, inputs: await resolveAll(transaction, spec.inputs) }, nowMs);
      await logChange(this.context.events, transaction, { kind: 'EXECUTION_CREATED', execution: id }, nowMs);
      if (requestId !== undefined) await requestStore.insert(query, 'CreateExecution', requestId, { digest, result: resource }, nowMs);
      return requireExecution(transaction, id);
    });
  }

  /** @throws VersionsError EXECUTION_NOT_FOUND, EXECUTION_ENDED, VERSION_NOT_FOUND for an output */
  async complete(request: CompletionRequest): Promise<ExecutionRecord> {
    const { execution: id, outcome, detail } = request;
    return this.context.database.transaction(async (transaction) => {
      const { state } = await requireExecution(transaction, id);
      const nowMs = this.context.now();
      const decision = decideCompletion(id, state, outcome, detail, nowMs);
      switch (decision.kind) {
        case 'REFUSED': throw new VersionsError('EXECUTION_ENDED', decision.message, { resource: formatExecutionName(id) });
        case 'UNCHANGED': break;
        case 'END':
          for (const output of await resolveAll(transaction, request.outputs)) await linkOutput(this.context, transaction, id, output);
          await executionStore.setState(transaction.query, id, decision.state);
          await logChange(this.context.events, transaction, { kind: 'EXECUTION_ENDED', execution: id, outcome }, nowMs);
          break;
      }
      return requireExecution(transaction, id);
    });
  }

  /** @throws VersionsError EXECUTION_NOT_FOUND */
  async get(id: string): Promise<ExecutionRecord> {
    return requireExecution(this.context.database, id);
  }
}

async function resolveAll(transaction: ArtifactTransaction, artifacts: readonly ArtifactQuery[]): Promise<readonly ExecutionArtifact[]> {
  const resolved: ExecutionArtifact[] = [];
  for (const { key, version } of artifacts) {
    const { artifact, number } = await resolveVersion(transaction.query, version);
    resolved.push({ key, version: { artifact, number } });
  }
  return resolved;
}

async function requireExecution({ query }: Pick<PolicyContext['database'], 'query'>, id: string): Promise<ExecutionRecord> {
  const found = await executionStore.find(query, id);
  if (found) return found;
  const resource = formatExecutionName(id);
  throw new VersionsError('EXECUTION_NOT_FOUND', `${resource} does not exist: list the executions to find its name`, { resource });
}

/** Links a version as an output of an execution, once, and says so in the log. */
export async function linkOutput({ events, now }: PolicyContext, transaction: ArtifactTransaction, execution: string, output: ExecutionArtifact): Promise<void> {
  const { type } = await requireVersion(transaction.query, output.version);
  if (!await executionStore.linkOutput(transaction.query, execution, output)) return;
  await logChange(events, transaction, { kind: 'OUTPUT_LINKED', execution, key: output.key, ...output.version, type }, now());
}

