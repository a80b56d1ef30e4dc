/** Features by column: `columns[j][i]` is feature j of row i, in [0, 1]. */
export type Columns = readonly Float64Array[];

/** A box of the unit cube, and what the tree predicts there. */
export interface Leaf {
  /** Per feature. */
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly value: number;
}

interface Node {
  /** Row numbers for each feature, by ascending feature; a row may stand in it several times. */
  readonly orders: readonly Int32Array[];
  readonly low: Float64Array;
  readonly high: Float64Array;
}

interface Split {
  readonly feature: number;
  readonly threshold: number;
}

/** The rows by ascending feature, for each feature: made once for all trees. */
export const sortedRows = (columns: Columns): readonly Int32Array[] =>
  columns.map((column) => Int32Array.from(column, (_, row) => row).sort((a, b) => at(column, a) - at(column, b)));

/**
 * A regression tree (L. Breiman et al., CART, 1984), grown until every leaf holds one value: each split takes the most from the
 * sum of squares; thresholds lie in the middle between two neighbours.
 * @param targets finite, by row
 * @param orders of `sortedRows`
 * @param counts how often each row is there, some at least once
 * @returns the leaves, which fill the unit cube without overlap
 */
export function growTree(columns: Columns, targets: Float64Array, orders: readonly Int32Array[], counts: Uint32Array): readonly Leaf[] {
  const leaves: Leaf[] = [];
  const open: Node[] = [{ orders: orders.map((order) => repeated(order, counts)), low: new Float64Array(columns.length), high: new Float64Array(columns.length).fill(1) }];
  const isLow = new Uint8Array(targets.length);
  for (let node = open.pop(); node; node = open.pop()) {
    const { low, high } = node;
    const rows = node.orders[0] ?? new Int32Array();
    const split = bestSplit(columns, targets, node.orders);
    if (!split) {
      leaves.push({ low, high, value: meanOf(targets, rows) });
      continue;
    }
    const { feature, threshold } = split;
    const column = columnOf(columns, feature);
    let lowCount = 0;
    for (const row of rows) lowCount += isLow[row] = at(column, row) <= threshold ? 1 : 0;
    const sides = node.orders.map((order) => parted(order, isLow, lowCount));
    open.push(
      { orders: sides.map(({ above }) => above), low: low.with(feature, threshold), high },
      { orders: sides.map(({ below }) => below), low, high: high.with(feature, threshold) },
    );
  }
  return leaves;
}

function bestSplit(columns: Columns, targets: Float64Array, orders: readonly Int32Array[]): Split | undefined {
  const [rows = new Int32Array()] = orders;
  const first = at(targets, rows[0] ?? 0);
  if (rows.every((row) => at(targets, row) === first)) return undefined;
  const mean = meanOf(targets, rows);
  let best: Split | undefined;
  let bestGain = -Infinity;
  for (const [feature, order] of orders.entries()) {
    const column = columnOf(columns, feature);
    const count = order.length;
    let row = order[0] ?? 0;
    let x = at(column, row);
    let sum = 0;
    for (let i = 1; i < count; i++) {
      sum += at(targets, row) - mean;
      row = order[i] ?? 0;
      const next = at(column, row);
      if (x === next) continue;
      // The deviations of both sides add up to 0.
      const gain = sum * sum * (1 / i + 1 / (count - i));
      if (gain > bestGain) {
        bestGain = gain;
        const middle = (x + next) / 2;
        best = { feature, threshold: middle < next ? middle : x };
      }
      x = next;
    }
  }
  return best;
}

function repeated(order: Int32Array, counts: Uint32Array): Int32Array {
  const rows: number[] = [];
  for (const row of order) for (let i = counts[row] ?? 0; i > 0; i--) rows.push(row);
  return Int32Array.from(rows);
}

function parted(order: Int32Array, isLow: Uint8Array, lowCount: number): { readonly below: Int32Array; readonly above: Int32Array } {
  const below = new Int32Array(lowCount);
  const above = new Int32Array(order.length - lowCount);
  let [b, a] = [0, 0];
  for (const row of order) {
    if (isLow[row] === 1) below[b++] = row;
    else above[a++] = row;
  }
  return { below, above };
}

function meanOf(targets: Float64Array, rows: Int32Array): number {
  let sum = 0;
  for (const row of rows) sum += at(targets, row);
  return sum / rows.length;
}

const at = (numbers: Float64Array, index: number): number => numbers[index] ?? 0;

const columnOf = (columns: Columns, feature: number): Float64Array => columns[feature] ?? new Float64Array();
