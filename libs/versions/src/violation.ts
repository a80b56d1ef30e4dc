/** One faulty field of what a caller gave: its path in the request, what is wrong, and what would be right. */
export interface Violation {
  readonly field: string;
  readonly description: string;
}

/** Quotes a caller's text for an error, cut so that a long one does not fill it. */
export const quote = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
