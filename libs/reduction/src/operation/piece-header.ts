/** What members call the pieces that they send one another, whatever carries them. */

/** Value of `node` for finished sums. */
export const NODE_SUM = 0xffffffff;
/** Value of `node` for claims. */
export const NODE_CLAIM = 0xfffffffe;

/** What a piece of a bucket says about its payload. Bytes count from the bucket's start. */
export interface PieceHeader {
  readonly bucket: number;
  readonly bucketBytes: number;
  readonly offset: number;
  /** A node's number, NODE_SUM or NODE_CLAIM. */
  readonly node: number;
}
