/** gRPC's status in trailers, and what other ends of a call mean (gRPC over HTTP/2: PROTOCOL-HTTP2.md, http-grpc-status-mapping.md). */
import { Metadata } from '@grpc/grpc-js';
import { RpcError, type StatusCode } from '@lockstep/rpc';
import type { HeaderField } from '../http2/hpack/static-table';
import type { ErrorCode } from '../http2/http2-error';

const DETAILS_KEY = 'grpc-status-details-bin';

export const OK_FIELDS: readonly HeaderField[] = [{ name: 'grpc-status', value: '0' }];

export function statusFields(error: RpcError): readonly HeaderField[] {
  const { code = 2, details = '', metadata } = error.toStatus();
  const [bytes] = metadata?.get(DETAILS_KEY) ?? [];
  return [
    { name: 'grpc-status', value: String(code) },
    { name: 'grpc-message', value: percentEncode(details) },
    ...(bytes instanceof Buffer ? [{ name: DETAILS_KEY, value: bytes.toString('base64') }] : []),
  ];
}

/** What trailers say. @returns undefined for success */
export function readStatus(fields: readonly HeaderField[]): RpcError | undefined {
  const value = (name: string): string | undefined => fields.find((field) => field.name === name)?.value;
  const status = value('grpc-status');
  if (status === undefined) {
    const http = value(':status');
    return http === undefined || http === '200' ? new RpcError('INTERNAL', 'the answer ended without a gRPC status') : httpStatusError(http);
  }
  if (status === '0') return undefined;
  const message = percentDecode(value('grpc-message') ?? '');
  const encoded = value(DETAILS_KEY);
  const metadata = new Metadata();
  if (encoded !== undefined) metadata.set(DETAILS_KEY, Buffer.from(encoded.split(',')[0] ?? '', 'base64'));
  const code = /^\d{1,2}$/.test(status) ? Number(status) : 2;
  try {
    return RpcError.from(Object.assign(new Error(message), { code, details: message, metadata }));
  } catch {
    // Details that are no google.rpc.Status: the code and the message stand.
    return RpcError.from(Object.assign(new Error(message), { code, details: message, metadata: new Metadata() }));
  }
}

/** An answer that is not gRPC's. */
export function httpStatusError(status: string): RpcError {
  const codes: Readonly<Record<string, StatusCode>> = {
    400: 'INTERNAL', 401: 'UNAUTHENTICATED', 403: 'PERMISSION_DENIED', 404: 'UNIMPLEMENTED', 429: 'UNAVAILABLE', 502: 'UNAVAILABLE', 503: 'UNAVAILABLE', 504: 'UNAVAILABLE',
  };
  return new RpcError(codes[status] ?? 'UNKNOWN', `the answer has HTTP status ${status}`);
}

/** A stream or connection that the peer ended with an error code of HTTP/2. */
export function errorCodeError(code: ErrorCode, message: string): RpcError {
  const codes: Partial<Record<ErrorCode, StatusCode>> = {
    REFUSED_STREAM: 'UNAVAILABLE', CANCEL: 'CANCELLED', ENHANCE_YOUR_CALM: 'RESOURCE_EXHAUSTED', INADEQUATE_SECURITY: 'PERMISSION_DENIED',
  };
  return new RpcError(codes[code] ?? 'INTERNAL', message);
}

/** Bytes outside of printable ASCII, and %, as %XX. */
export function percentEncode(text: string): string {
  return [...Buffer.from(text, 'utf8')]
    .map((byte) => (byte >= 0x20 && byte <= 0x7e && byte !== 0x25 ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)).join('');
}

/** What is no escape stays as it is. */
export function percentDecode(text: string): string {
  const bytes = text.replace(/%([0-9a-fA-F]{2})/g, (_whole, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
