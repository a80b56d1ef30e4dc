import { createHash } from 'node:crypto';

/** A SHA-256 as 64 lower-case hex digits. */
export type Sha256 = string;

/** SHA-256 of some bytes, in lower-case hex. */
export const sha256Of = (bytes: Uint8Array | string): Sha256 => createHash('sha256').update(bytes).digest('hex');

export const isSha256 = (text: string): boolean => /^[0-9a-f]{64}$/.test(text);
