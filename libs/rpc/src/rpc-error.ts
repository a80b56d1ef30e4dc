import { create, fromBinary, toBinary, type DescMessage, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf';
import { anyPack, anyUnpack } from '@bufbuild/protobuf/wkt';
import { Metadata, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import {
  BadRequestSchema, ErrorInfoSchema, PreconditionFailureSchema, ResourceInfoSchema, RetryInfoSchema, StatusSchema,
  type Status,
} from '@lockstep/contract';
import { statusCodeOf, statusNumber, type StatusCode } from './status-code';

/** Domain of every ErrorInfo that Lockstep sends. */
export const ERROR_DOMAIN = 'lockstep.dev';

const DETAILS_KEY = 'grpc-status-details-bin';

/** One faulty field of a request: its path, what is wrong, and what would be right. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

/** What an RpcError carries besides code and message; each becomes a detail of google.rpc.Status. */
export interface RpcErrorDetails {
  /** Stable UPPER_SNAKE reason for programs (google.rpc.ErrorInfo). */
  readonly reason?: string;
  /** Facts that belong to the reason. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Every faulty field, all in one answer (google.rpc.BadRequest). */
  readonly fieldViolations?: readonly FieldViolation[];
  /** Resource name that the call was about (google.rpc.ResourceInfo). */
  readonly resource?: { readonly type: string; readonly name: string };
  /** When it is worth trying again (google.rpc.RetryInfo). */
  readonly retryAfterMs?: number;
}

/** The one error of calls: canonical code, a sentence, and typed details, on the server's and on the client's side. */
export class RpcError extends Error {
  override readonly name = 'RpcError';

  constructor(
    readonly code: StatusCode,
    message: string,
    readonly details: RpcErrorDetails = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** Normalises anything that was caught: an RpcError stays, a grpc-js error is decoded, the rest becomes UNKNOWN. */
  static from(caught: unknown): RpcError {
    if (caught instanceof RpcError) return caught;
    if (isServiceError(caught)) {
      return new RpcError(statusCodeOf(caught.code), caught.details || caught.message, decodeDetails(caught.metadata), { cause: caught });
    }
    return new RpcError('UNKNOWN', caught instanceof Error ? caught.message : String(caught), {}, { cause: caught });
  }

  /** INVALID_ARGUMENT with all faulty fields. */
  static badRequest(fieldViolations: readonly FieldViolation[]): RpcError {
    const list = fieldViolations.map((v) => `${v.field}: ${v.description}`).join('; ');
    return new RpcError('INVALID_ARGUMENT', `the request is not valid: ${list}`, { reason: 'BAD_REQUEST', fieldViolations });
  }

  /** The form that grpc-js sends: code, message, and google.rpc.Status in the trailer. */
  toStatus(): Partial<StatusObject> {
    const metadata = new Metadata();
    metadata.set(DETAILS_KEY, Buffer.from(toBinary(StatusSchema, encodeStatus(this))));
    return { code: statusNumber(this.code), details: this.message, metadata };
  }
}

function isServiceError(value: unknown): value is ServiceError {
  return value instanceof Error && 'code' in value && typeof value.code === 'number' && 'metadata' in value;
}

function encodeStatus(error: RpcError): Status {
  const { reason, metadata, fieldViolations, resource, retryAfterMs } = error.details;
  const pack = <D extends DescMessage>(schema: D, init: MessageInitShape<D>) => anyPack(schema, create(schema, init));
  const details = [];
  if (reason !== undefined) details.push(pack(ErrorInfoSchema, { reason, domain: ERROR_DOMAIN, metadata: { ...metadata } }));
  if (fieldViolations !== undefined) details.push(pack(BadRequestSchema, { fieldViolations: fieldViolations.map((v) => ({ ...v })) }));
  if (resource !== undefined) details.push(pack(ResourceInfoSchema, { resourceType: resource.type, resourceName: resource.name }));
  if (retryAfterMs !== undefined) {
    const seconds = Math.floor(retryAfterMs / 1000);
    details.push(pack(RetryInfoSchema, { retryDelay: { seconds: BigInt(seconds), nanos: Math.round((retryAfterMs - seconds * 1000) * 1e6) } }));
  }
  if (error.code === 'FAILED_PRECONDITION' && reason !== undefined) {
    details.push(pack(PreconditionFailureSchema, { violations: [{ type: reason, subject: resource?.name ?? '', description: error.message }] }));
  }
  return create(StatusSchema, { code: statusNumber(error.code), message: error.message, details });
}

function decodeDetails(metadata: Metadata): RpcErrorDetails {
  const [raw] = metadata.get(DETAILS_KEY);
  if (!(raw instanceof Buffer)) return {};
  const status = fromBinary(StatusSchema, raw);
  const find = <D extends DescMessage>(schema: D): MessageShape<D> | undefined => {
    for (const any of status.details) {
      const message = anyUnpack(any, schema);
      if (message) return message;
    }
    return undefined;
  };
  const info = find(ErrorInfoSchema);
  const bad = find(BadRequestSchema);
  const resource = find(ResourceInfoSchema);
  const retry = find(RetryInfoSchema)?.retryDelay;
  return {
    ...(info && { reason: info.reason, metadata: info.metadata }),
    ...(bad && { fieldViolations: bad.fieldViolations.map(({ field, description }) => ({ field, description })) }),
    ...(resource && { resource: { type: resource.resourceType, name: resource.resourceName } }),
    ...(retry && { retryAfterMs: Number(retry.seconds) * 1000 + retry.nanos / 1e6 }),
  };
}
