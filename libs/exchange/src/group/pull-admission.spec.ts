import { judgePull, type AdmissionState } from './pull-admission';
import type { PullClaim } from '../wire/exchange-service';

const token = Buffer.from('secret');
const state: AdmissionState = { token, job: 'jobs/a', generation: 5n, place: { rank: 0, worldSize: 3 } };
const claim: PullClaim = { job: 'jobs/a', generation: 5n, rank: 1, worldSize: 3, targetRank: 0, token };

test.each<[string, Partial<PullClaim>, Partial<AdmissionState>, string]>([
  ['a member of this generation', {}, {}, 'ADMIT'],
  ['no assignment, token unknown', {}, { token: undefined, job: undefined, generation: undefined, place: undefined }, 'HOLD'],
  ['no assignment, right token', {}, { job: undefined, generation: undefined, place: undefined }, 'HOLD'],
  ['no assignment, wrong token', { token: Buffer.from('guess!') }, { job: undefined, generation: undefined, place: undefined }, 'UNAUTHENTICATED WRONG_TOKEN'],
  ['wrong token', { token: Buffer.from('secreT') }, {}, 'UNAUTHENTICATED WRONG_TOKEN'],
  ['no token', { token: new Uint8Array(0) }, {}, 'UNAUTHENTICATED WRONG_TOKEN'],
  ['wrong token and old generation: only the token is said', { token: Buffer.from('x'), generation: 1n }, {}, 'UNAUTHENTICATED WRONG_TOKEN'],
  ['another job', { job: 'jobs/b' }, {}, 'PERMISSION_DENIED WRONG_JOB'],
  ['an older generation', { generation: 4n }, {}, 'FAILED_PRECONDITION FENCED'],
  ['a newer generation', { generation: 6n }, {}, 'HOLD'],
  ['a generation that was left', {}, { place: undefined }, 'FAILED_PRECONDITION LEFT'],
  ['an older generation, after leaving', { generation: 4n }, { place: undefined }, 'FAILED_PRECONDITION FENCED'],
  ['another world size', { worldSize: 2 }, {}, 'INVALID_ARGUMENT MEMBERS_DIFFER'],
  ['another rank meant', { targetRank: 2 }, {}, 'INVALID_ARGUMENT MEMBERS_DIFFER'],
  ['our own rank', { rank: 0 }, {}, 'INVALID_ARGUMENT MEMBERS_DIFFER'],
  ['a rank past the end', { rank: 3 }, {}, 'INVALID_ARGUMENT MEMBERS_DIFFER'],
])('%s', (_title, claimed, known, expected) => {
  const verdict = judgePull({ ...claim, ...claimed }, { ...state, ...known });
  expect(verdict.kind === 'REFUSE' ? `${verdict.error.code} ${verdict.error.details.reason}` : verdict.kind).toBe(expected);
});
