/** Error codes of HTTP/2 (RFC 9113, section 7). */
export const ERROR_CODES = {
  NO_ERROR: 0x0, PROTOCOL_ERROR: 0x1, INTERNAL_ERROR: 0x2, FLOW_CONTROL_ERROR: 0x3, SETTINGS_TIMEOUT: 0x4, STREAM_CLOSED: 0x5,
  FRAME_SIZE_ERROR: 0x6, REFUSED_STREAM: 0x7, CANCEL: 0x8, COMPRESSION_ERROR: 0x9, CONNECT_ERROR: 0xa, ENHANCE_YOUR_CALM: 0xb,
  INADEQUATE_SECURITY: 0xc, HTTP_1_1_REQUIRED: 0xd,
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

const NAMES = new Map<number, ErrorCode>(Object.entries(ERROR_CODES).map(([name, value]) => [value, name as ErrorCode]));

/** The name of a code; INTERNAL_ERROR for one that HTTP/2 does not define, as its section 7 allows. */
export const errorCodeOf = (value: number): ErrorCode => NAMES.get(value) ?? 'INTERNAL_ERROR';

/** The peer broke a rule that ends the whole connection. */
export class Http2Error extends Error {
  override readonly name = 'Http2Error';

  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    super(message);
  }
}
