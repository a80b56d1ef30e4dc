import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ExchangeService, PullRequestSchema, type PullRequest } from '@lockstep/contract';

/** Path of the one method, as in the proto. */
export const PULL_PATH = `/${ExchangeService.typeName}/${ExchangeService.method.pull.name}`;

/** Who pulls from whom, in which generation. */
export type PullClaim = Omit<PullRequest, '$typeName' | '$unknown'>;

export const encodePull = (claim: PullClaim): Buffer => Buffer.from(toBinary(PullRequestSchema, create(PullRequestSchema, claim)));
export const decodePull = (bytes: Buffer): PullClaim => fromBinary(PullRequestSchema, bytes);
