import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { ExchangeService, PullRequestSchema, type PullRequest } from '@lockstep/contract';
import { DIRECT_COPY, type ChunkMessage } from './chunk-message';

/** Path of the one method, as in the proto. */
export const PULL_PATH = `/${ExchangeService.typeName}/${ExchangeService.method.pull.name}`;

/** Who pulls from whom, in which generation. */
export type PullClaim = Omit<PullRequest, '$typeName' | '$unknown'>;

export const encodePull = (claim: PullClaim): Buffer => Buffer.from(toBinary(PullRequestSchema, create(PullRequestSchema, claim)));
export const decodePull = (bytes: Buffer): PullClaim => fromBinary(PullRequestSchema, bytes);

/** Messages stay bytes: what is in them is read and written by chunk-header. */
export const identity = (bytes: Buffer): Buffer => bytes;

// grpc-js declares Buffer; chunk-message says why a ChunkMessage is enough.
const serialiseDirectly = (message: ChunkMessage): Buffer => message as unknown as Buffer;
const serialiseToBuffer = (message: ChunkMessage): Buffer => message.toBuffer();

/** @param directCopy whether grpc-js copies messages itself (chunk-message) */
export const exchangeServiceDefinition = (directCopy = DIRECT_COPY): ServiceDefinition => ({
  pull: {
    path: PULL_PATH,
    requestStream: false,
    responseStream: true,
    requestSerialize: encodePull,
    requestDeserialize: decodePull,
    responseSerialize: directCopy ? serialiseDirectly : serialiseToBuffer,
    responseDeserialize: identity,
  },
});
