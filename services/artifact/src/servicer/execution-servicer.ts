import { ExecutionState, type ArtifactService, type ExecutionArtifact } from '@lockstep/contract';
import type { ServiceImplementation } from '@lockstep/rpc';
import { cutPage } from '@lockstep/storage';
import { isSha256, quote, resourceIdFault, roleFault, typeFault, type ExecutionOutcome } from '@lockstep/versions';
import type { ArtifactQuery, ExecutionPolicy } from '../policy/execution-policy';
import type { PolicyContext } from '../policy/policy-context';
import { executionStore } from '../store/execution-store';
import { RequestCheck } from './request-check';
import { executionToProto } from './to-proto';

type Methods = 'createExecution' | 'completeExecution' | 'getExecution' | 'listExecutions';

/** Versions that one request may name as inputs or outputs. */
const MAX_LINKS = 1000;
const MAX_DETAIL_BYTES = 4096;

/** Executions on the wire. */
export function executionServicer({ database: { query } }: PolicyContext, executions: ExecutionPolicy): Pick<ServiceImplementation<typeof ArtifactService>, Methods> {
  return {
    async createExecution(request) {
      const check = new RequestCheck();
      const { type, specDigest, inputs, labels } = request.execution ?? { type: '', specDigest: '', inputs: [], labels: [] };
      check.fault('execution.type', typeFault(type));
      if (specDigest !== '' && !isSha256(specDigest)) check.fault('execution.spec_digest', `${quote(specDigest)} is not a SHA-256 in 64 lower-case hex digits`);
      if (request.executionId !== '') check.fault('execution_id', resourceIdFault(request.executionId));
      const spec = { type, specDigest, inputs: readLinks(check, 'execution.inputs', inputs), labels: check.labels('execution.labels', labels) };
      const requestId = check.requestId(request.requestId);
      check.done();
      return executionToProto(await executions.begin({
        ...spec, ...(request.executionId !== '' && { executionId: request.executionId }), ...(requestId !== undefined && { requestId }),
      }));
    },

    async completeExecution(request) {
      const check = new RequestCheck();
      const execution = check.executionName('name', request.name);
      const outcome = outcomeOf(request.state);
      if (outcome === undefined) check.fault('state', 'is required: SUCCEEDED, FAILED or CANCELLED');
      if (Buffer.byteLength(request.detail, 'utf8') > MAX_DETAIL_BYTES) check.fault('detail', `is longer than ${MAX_DETAIL_BYTES} bytes`);
      const outputs = readLinks(check, 'outputs', request.outputs);
      check.done();
      return executionToProto(await executions.complete({ execution, outcome: outcome ?? 'FAILED', detail: request.detail, outputs }));
    },

    async getExecution(request) {
      const check = new RequestCheck();
      const id = check.executionName('name', request.name);
      check.done();
      return executionToProto(await executions.get(id));
    },

    async listExecutions(request) {
      const check = new RequestCheck();
      const filter = {
        ...(request.input !== '' && { input: check.versionName('input', request.input) }),
        ...(request.output !== '' && { output: check.versionName('output', request.output) }),
      };
      const pageQuery = { list: 'executions', input: request.input, output: request.output };
      const { size, start } = check.page(pageQuery, request);
      check.done();
      const rows = await executionStore.list(query, filter, { limit: size + 1, ...(start.kind === 'AFTER' && { after: Number(start.key) }) });
      const page = cutPage(pageQuery, rows, size, (row) => row.sequence);
      return { executions: page.rows.map(executionToProto), nextPageToken: page.nextPageToken };
    },
  };
}

function readLinks(check: RequestCheck, field: string, links: readonly ExecutionArtifact[]): readonly ArtifactQuery[] {
  if (links.length > MAX_LINKS) check.fault(field, `${links.length} versions are more than ${MAX_LINKS}`);
  return links.slice(0, MAX_LINKS).map((link, i) => {
    check.fault(`${field}[${i}].key`, roleFault(link.key));
    return { key: link.key, version: check.versionQuery(`${field}[${i}].version`, link.version) };
  });
}

function outcomeOf(state: ExecutionState): ExecutionOutcome | undefined {
  switch (state) {
    case ExecutionState.UNSPECIFIED:
    case ExecutionState.RUNNING: return undefined;
    case ExecutionState.SUCCEEDED: return 'SUCCEEDED';
    case ExecutionState.FAILED: return 'FAILED';
    case ExecutionState.CANCELLED: return 'CANCELLED';
  }
}
