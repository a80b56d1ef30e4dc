/**
 * The canonical tree: one fixed binary tree over V leaves (logical replicas).
 *
 * 1. Its shape depends on V alone: a node over [from, to) with more than one leaf splits at the midpoint rounded up.
 * 2. Whoever adds, adds along it, so the bits of a sum depend neither on the number of workers, nor on who holds
 *    which leaf, nor on the order of arrival.
 * 3. A leaf without rows is absent: its parent is its sibling, unchanged. Absent is not zero (-0 + 0 is 0).
 */
import { containsRange, rangeLength, type Range } from './range';

/** The two children of an inner node. @throws RangeError for a leaf. */
export function children(node: Range): readonly [Range, Range] {
  const length = rangeLength(node);
  if (length < 2) throw new RangeError(`[${node.from}, ${node.to}) is a leaf`);
  const middle = node.from + ((length + 1) >> 1);
  return [{ from: node.from, to: middle }, { from: middle, to: node.to }];
}

/** The maximal nodes of the tree over [0, replicas) that lie inside `range`, from left to right. */
export function subtreeRoots(replicas: number, range: Range): readonly Range[] {
  const roots: Range[] = [];
  const visit = (node: Range): void => {
    if (node.to <= range.from || node.from >= range.to) return;
    if (containsRange(range, node)) {
      roots.push(node);
      return;
    }
    for (const child of children(node)) visit(child);
  };
  visit({ from: 0, to: replicas });
  return roots;
}

/**
 * Folds the subtree at `node` in canonical order.
 *
 * @param leaf value of a leaf, or undefined when it is absent
 * @param add combines a left and a right value
 * @param known short cut: the value of a whole subtree where somebody else has folded it already
 * @returns undefined when every leaf is absent
 */
export function foldTree<T>(
  node: Range,
  leaf: (index: number) => T | undefined,
  add: (left: T, right: T) => T,
  known?: (node: Range) => { readonly value: T | undefined } | undefined,
): T | undefined {
  const found = known?.(node);
  if (found) return found.value;
  if (rangeLength(node) === 1) return leaf(node.from);
  const [leftNode, rightNode] = children(node);
  const left = foldTree(leftNode, leaf, add, known);
  const right = foldTree(rightNode, leaf, add, known);
  if (left === undefined) return right;
  if (right === undefined) return left;
  return add(left, right);
}
