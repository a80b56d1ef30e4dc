/**
 * The order in which CPython (3.7 to 3.13) runs through a set of numbers. KerasTuner's grid takes the samples of a range without a step from
 * a set, so that this is the order of its trials.
 *
 * Sources: the Python reference, "Hashing of numeric types"; the layout of CPython's sets (open addressing in runs of ten, from
 * which a perturbed linear congruence jumps on; a table grows fourfold when it is 3/5 full).
 */
const HASH_MODULUS = 2n ** 61n - 1n;
const HASH_BITS = 61;
const WORD = 2n ** 64n;
const RUN = 10;
const FIRST_SIZE = 8;

interface Entry {
  readonly value: number;
  readonly hash: bigint;
}

/** @param values in the order of insertion; equal ones count once */
export function pythonSetOrder(values: readonly number[]): readonly number[] {
  let table = emptyTable(FIRST_SIZE);
  let used = 0;
  for (const value of new Set(values)) {
    insert(table, { value, hash: hashOf(value) });
    used++;
    if (used * 5 >= (table.length - 1) * 3) table = grown(table, used * 4);
  }
  return table.flatMap((entry) => (entry ? [entry.value] : []));
}

type Table = (Entry | undefined)[];

const emptyTable = (size: number): Table => Array.from({ length: size }, () => undefined);

function grown(table: Table, atLeast: number): Table {
  let size = FIRST_SIZE;
  while (size <= atLeast) size *= 2;
  const next = emptyTable(size);
  for (const entry of table) if (entry) insert(next, entry);
  return next;
}

function insert(table: Table, entry: Entry): void {
  const mask = BigInt(table.length - 1);
  let perturbation = entry.hash;
  let start = entry.hash & mask;
  for (;;) {
    const first = Number(start);
    const run = first + RUN <= table.length ? RUN : 1;
    for (let i = first; i < first + run; i++) {
      if (!table[i]) {
        table[i] = entry;
        return;
      }
    }
    perturbation >>= 5n;
    start = (start * 5n + 1n + perturbation) & mask;
  }
}

/** A number's hash modulo 2^61 - 1, as an unsigned word. @param value finite */
function hashOf(value: number): bigint {
  let mantissa = Math.abs(value);
  let exponent = 0;
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2;
    exponent--;
  }
  const shift = ((exponent % HASH_BITS) + HASH_BITS) % HASH_BITS;
  const size = (BigInt(mantissa) << BigInt(shift)) % HASH_MODULUS;
  const signed = value < 0 ? -size : size;
  const hash = signed === -1n ? -2n : signed;
  return hash < 0n ? hash + WORD : hash;
}
