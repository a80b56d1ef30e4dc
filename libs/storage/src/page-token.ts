/**
 * Tokens of keyset pagination.
 *
 * 1. A token says after which key to go on, so pages are stable while rows come and go, and cost the same wherever they are.
 * 2. It carries a digest of the query that it was made for: with another query it is refused instead of giving a wrong page.
 */
import { createHash } from 'node:crypto';

/** Everything in the query that decides which rows there are and in what order; not the page's size. */
export type PageQuery = Readonly<Record<string, string | number | readonly string[]>>;

/** Largest page; a request for more gets this many. */
export const MAX_PAGE_SIZE = 1000;
export const DEFAULT_PAGE_SIZE = 50;

/** Resolves the page size of a request, 0 meaning unset. @returns undefined for a negative one */
export function resolvePageSize(requested: number): number | undefined {
  if (requested < 0) return undefined;
  return requested === 0 ? DEFAULT_PAGE_SIZE : Math.min(requested, MAX_PAGE_SIZE);
}

const fingerprint = (query: PageQuery): string =>
  createHash('sha256').update(JSON.stringify(Object.entries(query).sort(([a], [b]) => (a < b ? -1 : 1)))).digest('base64url').slice(0, 16);

/** @param lastKey key of the last row of the page */
export const encodePageToken = (query: PageQuery, lastKey: string | number): string =>
  Buffer.from(`${fingerprint(query)}${String(lastKey)}`, 'utf8').toString('base64url');

export type DecodedPageToken = { readonly kind: 'START' } | { readonly kind: 'AFTER'; readonly key: string } | { readonly kind: 'INVALID' };

/** Reads a token for the same query; the empty one means the first page. */
export function decodePageToken(query: PageQuery, token: string): DecodedPageToken {
  if (token === '') return { kind: 'START' };
  const text = Buffer.from(token, 'base64url').toString('utf8');
  const mark = fingerprint(query);
  return text.startsWith(mark) && text.length > mark.length ? { kind: 'AFTER', key: text.slice(mark.length) } : { kind: 'INVALID' };
}

/** Cuts rows, of which one more than the page's size was asked for, into a page and its token. */
export function cutPage<Row>(query: PageQuery, rows: readonly Row[], pageSize: number, keyOf: (row: Row) => string | number): { readonly rows: readonly Row[]; readonly nextPageToken: string } {
  const page = rows.slice(0, pageSize);
  const last = page.at(-1);
  return { rows: page, nextPageToken: rows.length > pageSize && last !== undefined ? encodePageToken(query, keyOf(last)) : '' };
}
