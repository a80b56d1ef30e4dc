import fc from 'fast-check';
import { cutPage, decodePageToken, encodePageToken, MAX_PAGE_SIZE, resolvePageSize } from './index';

const query = { kind: 'artifacts', type: 'Model' };

test('a token gives its key back for its query and for no other', () => {
  fc.assert(fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (key) => {
    const token = encodePageToken(query, key);
    expect(decodePageToken(query, token)).toEqual({ kind: 'AFTER', key });
    expect(decodePageToken({ ...query, type: 'Schema' }, token)).toEqual({ kind: 'INVALID' });
  }));
});

test.each(['x', 'AAAA', '????', 'a'.repeat(500)])('%j is no token', (token) => {
  expect(decodePageToken(query, token)).toEqual({ kind: 'INVALID' });
});

test('the order of a query\'s fields does not matter', () => {
  expect(decodePageToken({ type: 'Model', kind: 'artifacts' }, encodePageToken(query, 'k'))).toEqual({ kind: 'AFTER', key: 'k' });
});

test.each([[0, 50], [1, 1], [1000, 1000], [5000, MAX_PAGE_SIZE], [-1, undefined]])('page size %i becomes %p', (requested, resolved) => {
  expect(resolvePageSize(requested)).toBe(resolved);
});

test('pages follow one another through all rows, the last without a token', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 7 }), (count, size) => {
    const all = Array.from({ length: count }, (_, i) => i);
    const seen: number[] = [];
    let token = '';
    do {
      const start = decodePageToken(query, token);
      if (start.kind === 'INVALID') throw new Error('the token is not valid');
      const rest = all.filter((i) => start.kind === 'START' || i > Number(start.key)).slice(0, size + 1);
      const page = cutPage(query, rest, size, (row) => row);
      seen.push(...page.rows);
      token = page.nextPageToken;
    } while (token !== '');
    expect(seen).toEqual(all);
  }));
});
