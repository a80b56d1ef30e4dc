/** At most so many characters of a text, with an ellipsis in place of what is left out. */
export function shortened(text: string, length: number): string {
  // A character takes two units at most: the rest of a long text is not looked at.
  const points = [...text.slice(0, 2 * length + 2)];
  return points.length > length ? `${points.slice(0, length - 1).join('')}…` : text;
}
