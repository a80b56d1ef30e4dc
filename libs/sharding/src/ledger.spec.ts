import * as fc from 'fast-check';
import { Ledger, type LedgerEntry } from './ledger';
import { mergeTallies, murmur3, VisitTally, type Visit } from './visit-tally';
import { ShardingError } from './sharding-error';

const visits = (pass: number, ...records: number[]): readonly Visit[] => records.map((record) => ({ pass, record }));
const entry = (position: string, replica: number, read: readonly Visit[], reader = 'a'): LedgerEntry => ({ position, replica, reader, visits: read });

function reasonOf(run: () => unknown): string {
  try {
    run();
  } catch (e) {
    if (e instanceof ShardingError) return e.reason;
    throw e;
  }
  return 'none';
}

test('counts complete and partial passes, and rows by reader', () => {
  const ledger = new Ledger({ recordCount: 4, windowPositions: 8 });
  ledger.record(entry('0', 0, visits(0, 0, 3)));
  ledger.record(entry('0', 1, visits(0, 1), 'b'));
  expect(ledger.check()).toEqual({ completePasses: 0, partialPasses: [{ pass: 0, records: 3 }], rowsByReader: { a: 2, b: 1 } });
  ledger.record(entry('1', 0, [...visits(0, 2), ...visits(1, 0)]));
  expect(ledger.check()).toEqual({ completePasses: 1, partialPasses: [{ pass: 1, records: 1 }], rowsByReader: { a: 4, b: 1 } });
});

test('a redo is the same entry, by whomever', () => {
  const ledger = new Ledger({ recordCount: 4, windowPositions: 8 });
  expect(ledger.record(entry('0', 0, visits(0, 0, 1)))).toBe(true);
  expect(ledger.record(entry('0', 0, visits(0, 0, 1), 'b'))).toBe(false);
  expect(ledger.check().rowsByReader).toEqual({ a: 2 });
});

test.each<[string, LedgerEntry, string]>([
  ['other records for a position and replica', entry('0', 0, visits(0, 0, 2)), 'LEDGER_CONFLICT'],
  ['the same records in another order', entry('0', 0, visits(0, 1, 0)), 'LEDGER_CONFLICT'],
  ['a record of another replica', entry('0', 1, visits(0, 2, 1)), 'READ_TWICE'],
  ['a record of a later position', entry('1', 0, visits(0, 0)), 'READ_TWICE'],
  ['a record twice in one entry', entry('1', 0, visits(0, 2, 2)), 'READ_TWICE'],
  ['a record beyond the split', entry('1', 0, visits(0, 4)), 'BAD_ARGUMENT'],
])('refuses %s and changes nothing', (_what, bad, reason) => {
  const ledger = new Ledger({ recordCount: 4, windowPositions: 8 });
  ledger.record(entry('0', 0, visits(0, 0, 1)));
  const before = ledger.check();
  expect(reasonOf(() => ledger.record(bad))).toBe(reason);
  expect(ledger.check()).toEqual(before);
  ledger.record(entry('2', 0, visits(0, 2, 3)));
  expect(ledger.check().completePasses).toBe(1);
});

test('a record of a complete pass is read twice too, and passes may end out of order', () => {
  const ledger = new Ledger({ recordCount: 1, windowPositions: 1 });
  for (const pass of [1, 0, 2]) ledger.record(entry(`${pass}`, 0, visits(pass, 0)));
  expect(ledger.check().completePasses).toBe(3);
  for (const pass of [0, 1, 2]) expect(reasonOf(() => ledger.record(entry(`again ${pass}`, 0, visits(pass, 0))))).toBe('READ_TWICE');
});

test('the window bounds what may be repeated', () => {
  const ledger = new Ledger({ recordCount: 8, windowPositions: 2 });
  for (const position of [0, 1, 2]) ledger.record(entry(`${position}`, 0, visits(0, position)));
  expect(ledger.record(entry('1', 0, visits(0, 1)))).toBe(false);
  expect(reasonOf(() => ledger.record(entry('0', 0, visits(0, 0))))).toBe('READ_TWICE');
});

// MurmurHash3_x86_32 of the words' little-endian bytes, from the reference vectors of the hash (Appleby's smhasher).
test.each<[readonly number[], number, number]>([
  [[], 0, 0],
  [[], 1, 0x514e28b7],
  [[0], 0, 0x2362f9de],
  [[0xffffffff], 0, 0x76293b50],
  [[0x87654321], 0, 0xf55b516b],
  [[0x87654321], 0x5082edee, 0x2362f9de],
])('murmur3 of %j, seed %d', (words, seed, hash) => {
  expect(murmur3(words, seed)).toBe(hash);
});

const tallyOf = (read: readonly Visit[]) => {
  const tally = new VisitTally();
  tally.add(read);
  return tally.summary();
};
const visitArbitrary = fc.record({ pass: fc.nat(5), record: fc.nat(2 ** 40) });

test('merged tallies do not depend on who read what in which order', () => {
  fc.assert(fc.property(fc.array(visitArbitrary), fc.nat(), (read, cut) => {
    const at = cut % (read.length + 1);
    expect(mergeTallies([tallyOf(read.slice(at).reverse()), tallyOf(read.slice(0, at))])).toEqual(tallyOf(read));
  }));
});

test.each<[string, readonly Visit[]]>([
  ['a lost record', visits(0, 0, 1)],
  ['a record that was read twice', visits(0, 0, 1, 2, 2)],
  ['one record for another', visits(0, 0, 1, 3)],
  ['another pass', [...visits(0, 0, 1), ...visits(1, 2)]],
])('a tally shows %s', (_what, read) => {
  expect(tallyOf(read)).not.toEqual(tallyOf(visits(0, 0, 1, 2)));
});
