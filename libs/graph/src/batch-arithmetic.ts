import { DataType, type DataTypeNumber } from './data-type';
import { constantNode, int32Constant, typeAttr, type GraphNode, type TensorValue } from './graph-def';

/** A value for each of the three batch sizes at which a function is recorded. */
export type PerBatch<T> = readonly [T, T, T];

/** Makes the nodes that compute numbers of the form m * batch + q from the batch size of a running graph. */
export class BatchArithmetic {
  private usesBatchSize = false;

  /**
   * @param scope prefix of the nodes that read the batch size, without the slash
   * @param batchNode a node whose output, of type `batchNodeType`, has the batch size as its first dimension
   */
  constructor(
    private readonly batchSizes: PerBatch<number>,
    private readonly scope: string,
    private readonly batchNode: string,
    private readonly batchNodeType: DataTypeNumber,
  ) {}

  /** The nodes that read the batch size; empty when nothing needed it. */
  prelude(): readonly GraphNode[] {
    if (!this.usesBatchSize) return [];
    const name = this.batchSizeNode;
    const int32 = typeAttr(DataType.INT32);
    const type = typeAttr(this.batchNodeType);
    return [
      { name: `${name}/shape`, op: 'Shape', inputs: [this.batchNode], attrs: { T: type, out_type: int32 } },
      int32Constant(`${name}/from`, [1], [0]),
      int32Constant(`${name}/to`, [1], [1]),
      {
        name,
        op: 'StridedSlice',
        inputs: [`${name}/shape`, `${name}/from`, `${name}/to`, `${name}/to`],
        attrs: { T: int32, Index: int32, shrink_axis_mask: { kind: 'int', value: 1 } },
      },
    ];
  }

  /** A node `name` with integers that depend on the batch size; undefined when one of them is not m * batch + q. */
  vector(name: string, values: PerBatch<readonly number[]>, shape: readonly number[], dtype: DataTypeNumber): readonly GraphNode[] | undefined {
    const isInt32 = dtype === DataType.INT32;
    const target = isInt32 ? name : `${name}/int32`;
    const nodes = this.int32Vector(target, values, shape);
    if (nodes === undefined || isInt32) return nodes;
    return [...nodes, { name, op: 'Cast', inputs: [target], attrs: { SrcT: typeAttr(DataType.INT32), DstT: typeAttr(dtype) } }];
  }

  /** A node `name` filled with one value, its dimensions following the batch size; undefined as above. */
  fill(name: string, shapes: PerBatch<readonly number[]>, value: TensorValue): readonly GraphNode[] | undefined {
    const dims = this.int32Vector(`${name}/dims`, shapes, [shapes[0].length]);
    if (dims === undefined) return undefined;
    return [
      ...dims,
      constantNode(`${name}/value`, value),
      { name, op: 'Fill', inputs: [`${name}/dims`, `${name}/value`], attrs: { T: typeAttr(value.dtype), index_type: typeAttr(DataType.INT32) } },
    ];
  }

  private int32Vector(name: string, [first, second, third]: PerBatch<readonly number[]>, shape: readonly number[]): readonly GraphNode[] | undefined {
    if (second.length !== first.length || third.length !== first.length) return undefined;
    const nodes: GraphNode[] = [];
    const elements: string[] = [];
    const lines = first.map((value, i) => this.solve([value, second[i] ?? NaN, third[i] ?? NaN]));
    if (lines.every((line) => line?.factor === 0)) return [int32Constant(name, shape, first)];
    for (const [i, line] of lines.entries()) {
      if (line === undefined) return undefined;
      elements.push(this.element(`${name}/${i}`, line, nodes));
    }
    const T = typeAttr(DataType.INT32);
    const node: GraphNode = shape.length === 0
      ? { name, op: 'Identity', inputs: elements, attrs: { T } }
      : { name, op: 'Pack', inputs: elements, attrs: { T, N: { kind: 'int', value: elements.length }, axis: { kind: 'int', value: 0 } } };
    return [...nodes, node];
  }

  private element(name: string, { factor, offset }: Line, nodes: GraphNode[]): string {
    if (factor === 0) {
      nodes.push(int32Constant(name, [], [offset]));
      return name;
    }
    this.usesBatchSize = true;
    let current = this.batchSizeNode;
    const apply = (op: 'Mul' | 'AddV2', operand: number): void => {
      const result = `${name}/${op}`;
      nodes.push(int32Constant(`${result}/operand`, [], [operand]), { name: result, op, inputs: [current, `${result}/operand`], attrs: { T: typeAttr(DataType.INT32) } });
      current = result;
    };
    if (factor !== 1) apply('Mul', factor);
    if (offset !== 0) apply('AddV2', offset);
    return current;
  }

  /** The integers m and q with value = m * batch + q at all three sizes. */
  private solve([x, y, z]: PerBatch<number>): Line | undefined {
    const [a, b, c] = this.batchSizes;
    const factor = (y - x) / (b - a);
    const offset = x - factor * a;
    return Number.isInteger(factor) && factor * c + offset === z ? { factor, offset } : undefined;
  }

  private get batchSizeNode(): string {
    return `${this.scope}/batch_size`;
  }
}

interface Line {
  readonly factor: number;
  readonly offset: number;
}
