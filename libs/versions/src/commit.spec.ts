import fc from 'fast-check';
import { decideCommit, decideCompletion, decideFence, sha256Of, type CommitCommand, type CommitKnowledge, type ExecutionState } from './index';

const A = sha256Of('a');
const command: CommitCommand = { artifact: 'm', type: 'Model', digest: A, requestDigest: sha256Of('request') };
const fence = (generation: number) => ({ job: 'j', generation });
const output = { execution: 'e', key: 'model' };
const known: CommitKnowledge = { artifact: { type: 'Model', latest: 3 } };
const ended: ExecutionState = { kind: 'FAILED', endTimeMs: 1, detail: '' };
const kinds = (c: CommitCommand, k: CommitKnowledge): readonly string[] => {
  const decision = decideCommit(c, k);
  return decision.kind === 'REFUSED' ? [decision.reason] : [`${decision.kind} ${decision.number}`, ...decision.events.map((e) => e.kind)];
};

test.each<readonly [string, CommitCommand, CommitKnowledge, readonly string[]]>([
  ['the first version creates the artifact', command, {}, ['COMMIT 1', 'ARTIFACT_CREATED', 'VERSION_COMMITTED']],
  ['the next version has the next number', command, known, ['COMMIT 4', 'VERSION_COMMITTED']],
  ['the newest content again is its version', command, { ...known, sameContent: 3 }, ['EXISTING 3']],
  ['older content again is its version too', command, { ...known, sameContent: 1 }, ['EXISTING 1']],
  ['another type', { ...command, type: 'Schema' }, known, ['TYPE_MISMATCH']],
  ['the first fence', { ...command, fence: fence(1) }, known, ['COMMIT 4', 'FENCE_ADVANCED', 'VERSION_COMMITTED']],
  ['the newest generation', { ...command, fence: fence(2) }, { ...known, newestGeneration: 2 }, ['COMMIT 4', 'VERSION_COMMITTED']],
  ['a newer generation', { ...command, fence: fence(3) }, { ...known, newestGeneration: 2 }, ['COMMIT 4', 'FENCE_ADVANCED', 'VERSION_COMMITTED']],
  ['an older generation', { ...command, fence: fence(1) }, { ...known, newestGeneration: 2 }, ['FENCED']],
  ['an older generation with content that exists', { ...command, fence: fence(1) }, { ...known, newestGeneration: 2, sameContent: 3 }, ['FENCED']],
  ['a newer generation with content that exists', { ...command, fence: fence(3) }, { ...known, newestGeneration: 2, sameContent: 3 }, ['EXISTING 3', 'FENCE_ADVANCED']],
  ['no fence where others have one', command, { ...known, newestGeneration: 9 }, ['COMMIT 4', 'VERSION_COMMITTED']],
  ['an output of a running execution', { ...command, output }, { ...known, execution: { kind: 'RUNNING' } }, ['COMMIT 4', 'VERSION_COMMITTED', 'OUTPUT_LINKED']],
  ['existing content as an output', { ...command, output }, { ...known, sameContent: 2, execution: { kind: 'RUNNING' } }, ['EXISTING 2', 'OUTPUT_LINKED']],
  ['an output of an execution that ended', { ...command, output }, { ...known, execution: ended }, ['EXECUTION_ENDED']],
  ['an output of no execution', { ...command, output }, known, ['EXECUTION_NOT_FOUND']],
  ['a retry', command, { ...known, sameRequest: { requestDigest: command.requestDigest, artifact: 'm', number: 2 } }, ['EXISTING 2']],
  ['a retry after its generation was fenced', { ...command, fence: fence(1) },
    { ...known, newestGeneration: 2, sameRequest: { requestDigest: command.requestDigest, artifact: 'm', number: 2 } }, ['EXISTING 2']],
  ['a request id for another request', command, { ...known, sameRequest: { requestDigest: sha256Of('other'), artifact: 'n', number: 2 } }, ['REQUEST_ID_REUSED']],
])('%s', (_, c, k, expected) => {
  expect(kinds(c, k)).toEqual(expected);
});

test('a refusal names both generations and the job', () => {
  expect(decideCommit({ ...command, fence: fence(4) }, { newestGeneration: 7 })).toMatchObject({
    message: expect.stringMatching(/generation 4 of job j .* generation 7/), facts: { resource: 'jobs/j', generation: '4', newestGeneration: '7' },
  });
});

test('the newest generation never decreases, and exactly the older ones are refused', () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 9 })), (generations) => {
    let newest: number | undefined;
    for (const generation of generations) {
      const decision = decideFence(newest, fence(generation));
      expect(decision.kind === 'FENCED').toBe(newest !== undefined && generation < newest);
      if (decision.kind === 'ADVANCED') newest = generation;
      expect(newest).toBeGreaterThanOrEqual(generation);
    }
  }));
});

test('numbers are dense and contents map one to one to numbers', () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1 }), (contents) => {
    const numbers = new Map<string, number>();
    for (const content of contents) {
      const digest = sha256Of(String(content));
      const same = numbers.get(digest);
      const decision = decideCommit({ ...command, digest }, {
        ...(numbers.size > 0 && { artifact: { type: 'Model', latest: numbers.size } }), ...(same !== undefined && { sameContent: same }),
      });
      if (decision.kind === 'COMMIT') numbers.set(digest, decision.number);
      expect(decision).toMatchObject({ number: numbers.get(digest) });
    }
    expect([...numbers.values()]).toEqual(Array.from({ length: numbers.size }, (_, i) => i + 1));
  }));
});

test.each<readonly [string, ExecutionState, 'SUCCEEDED' | 'FAILED', string]>([
  ['a running one ends', { kind: 'RUNNING' }, 'SUCCEEDED', 'END'],
  ['the same end again is a retry', ended, 'FAILED', 'UNCHANGED'],
  ['another end is refused', ended, 'SUCCEEDED', 'REFUSED'],
])('completing an execution: %s', (_, state, outcome, expected) => {
  const decision = decideCompletion('e', state, outcome, 'why', 77);
  expect(decision.kind).toBe(expected);
  if (decision.kind === 'END') expect(decision.state).toEqual({ kind: 'SUCCEEDED', endTimeMs: 77, detail: 'why' });
});
