/**
 * Which paths a version may hold. A path that passes cannot leave the folder that it is written to, on any system.
 */
import { quote } from './violation';

/** In bytes of UTF-8. */
export const MAX_PATH_BYTES = 1024;
/** Of each part between slashes: what file systems take. */
export const MAX_PATH_PART_BYTES = 255;

const utf8Length = (text: string): number => Buffer.byteLength(text, 'utf8');

/** What is wrong with a path and what would be right, or undefined. */
export function filePathFault(path: string): string | undefined {
  const fault = faultOf(path);
  return fault === undefined ? undefined : `${quote(path)} ${fault}`;
}

function faultOf(path: string): string | undefined {
  if (path === '') return 'is empty: every file needs a path';
  if (utf8Length(path) > MAX_PATH_BYTES) return `is longer than ${MAX_PATH_BYTES} bytes`;
  if (/\p{Surrogate}/u.test(path)) return 'is not well-formed Unicode';
  if (/\p{Cc}/u.test(path)) return 'has a control character';
  if (path.includes('\\')) return 'has a backslash: separate the parts with "/"';
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) return 'is absolute: give it relative to the version\'s root';
  if (path.normalize('NFC') !== path) return 'is not in Unicode normal form C: the same name would have two spellings';
  for (const part of path.split('/')) {
    if (part === '') return 'has an empty part: write single slashes, none at the end';
    if (part === '.' || part === '..') return `has the part "${part}": paths do not move between folders`;
    if (utf8Length(part) > MAX_PATH_PART_BYTES) return `has a part longer than ${MAX_PATH_PART_BYTES} bytes`;
  }
  return undefined;
}

/** Orders paths by their UTF-8 bytes, the order of manifests. UTF-16 order, JavaScript's own, differs beyond the basic plane. */
export const comparePaths = (a: string, b: string): number => Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
