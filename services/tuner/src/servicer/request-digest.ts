import { createHash } from 'node:crypto';
import { toBinary, type DescMessage, type MessageShape } from '@bufbuild/protobuf';

/** SHA-256 of a request, in hex: a request that comes again with another content is told apart. */
export const requestDigest = <D extends DescMessage>(schema: D, request: MessageShape<D>): string =>
  createHash('sha256').update(toBinary(schema, request)).digest('hex');
