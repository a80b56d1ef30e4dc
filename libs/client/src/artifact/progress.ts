/** How far a transfer has come. */
export interface TransferProgress {
  /** HASH: reading what is here. UPLOAD, DOWNLOAD: bytes on the wire; what the service has already is not counted. */
  readonly phase: 'HASH' | 'UPLOAD' | 'DOWNLOAD';
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export type OnProgress = (progress: TransferProgress) => void;

/** Counts the bytes of a phase and reports each change. */
export function progressCounter(phase: TransferProgress['phase'], totalBytes: number, onProgress: OnProgress | undefined): (bytes: number) => void {
  let doneBytes = 0;
  onProgress?.({ phase, doneBytes, totalBytes });
  return (bytes) => {
    doneBytes += bytes;
    onProgress?.({ phase, doneBytes, totalBytes });
  };
}
