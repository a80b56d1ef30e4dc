/**
 * Text that others chose, fit for a terminal: names of parameters, values and messages of modules may hold anything, and a line that is
 * redrawn must not be wider than the screen.
 */

/** Controls, which would move the cursor or recolour what follows, and marks that turn the direction of writing. */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const ESCAPES: ReadonlyMap<string, string> = new Map([['\n', '\\n'], ['\r', '\\r'], ['\t', '\\t']]);

/** The text with what is not to be seen written as escapes. */
export const printable = (text: string): string =>
  text.replace(UNPRINTABLE, (c) => ESCAPES.get(c) ?? `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`);

const NO_WIDTH = /\p{M}|\u200b|\u200c|\u200d/u;
const TWO_WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

const widthOfPoint = (point: string): number => (NO_WIDTH.test(point) ? 0 : TWO_WIDE.test(point) ? 2 : 1);

/** Columns that a text takes. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const point of text) width += widthOfPoint(point);
  return width;
}

/** At most so many columns of a text, with an ellipsis in place of what is left out. */
export function cutToWidth(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  let cut = '';
  let left = columns - 1;
  for (const point of text) {
    left -= widthOfPoint(point);
    if (left < 0) break;
    cut += point;
  }
  return columns < 1 ? '' : `${cut}…`;
}

/** A cell of a table: the text, and blanks up to the width. */
export const padToWidth = (text: string, columns: number): string => text + ' '.repeat(Math.max(0, columns - displayWidth(text)));
