/** Why files could not be put or fetched, besides what the service said. */
export type TransferErrorReason =
  /** A file has other bytes than when it was hashed. */
  | 'FILE_CHANGED'
  /** A link to a folder, a socket, a device. */
  | 'UNSUPPORTED_FILE'
  | 'NO_FILES'
  /** Paths or sizes that a version cannot have. */
  | 'INVALID_FILES'
  /** Something lies where the files should go. */
  | 'TARGET_EXISTS'
  /** The service sent other bytes than the version has. */
  | 'DATA_LOSS';

/** A failure on this side of the wire; the message says what, where, and what to do. */
export class TransferError extends Error {
  override readonly name = 'TransferError';
  constructor(readonly reason: TransferErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}
