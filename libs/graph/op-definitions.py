"""Writes src/op-definition-table.ts: the definitions of the operations that TensorFlow.js runs, without what a recorder ignores.

    python op-definitions.py            (a Python with tensorflow; see integration/foreign)
    python op-definitions.py --check    fails when the file is not what it would write

TensorFlow.js's kernels (tfjs-node 4.22.0, dist/kernels) name the operations; TensorFlow's registry defines them.
"""
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import tensorflow  # noqa: E402,F401  (registers the operations)
from tensorflow.python.framework import op_def_registry  # noqa: E402

OPERATIONS = """
Abs Acos Acosh Add AddN All Any ArgMax ArgMin Asin Asinh Atan Atan2 Atanh AvgPool AvgPool3D AvgPool3DGrad AvgPoolGrad
BatchMatMul BatchMatMulV2 BatchToSpaceND Bincount BroadcastArgs Cast Ceil Complex ComplexAbs ConcatV2 Conv2D
Conv2DBackpropFilter Conv2DBackpropInput Conv3D Conv3DBackpropFilterV2 Conv3DBackpropInputV2 Cos Cosh CropAndResize
Cumprod Cumsum DecodeBmp DecodeGif DecodeJpeg DecodePng DepthToSpace DepthwiseConv2dNative
DepthwiseConv2dNativeBackpropFilter DepthwiseConv2dNativeBackpropInput Diag Dilation2D Dilation2DBackpropFilter
Dilation2DBackpropInput Div DivNoNan Einsum Elu EluGrad Equal Erf Exp ExpandDims Expm1 FFT Fill Floor FloorDiv
FloorMod FusedBatchNorm GatherNd GatherV2 Greater GreaterEqual IFFT Imag IsFinite IsInf IsNan LRN LRNGrad LeakyRelu
Less LessEqual LinSpace Log Log1p LogicalAnd LogicalNot LogicalOr Max MaxPool MaxPool3D MaxPool3DGrad MaxPoolGrad
Maximum Mean Min Minimum MirrorPad Mul Multinomial Neg NonMaxSuppressionV3 NonMaxSuppressionV4 NonMaxSuppressionV5
NotEqual OneHot OnesLike Pack PadV2 Pow Prod Range Real RealDiv Reciprocal Relu Relu6 Reshape ResizeBilinear
ResizeBilinearGrad ResizeNearestNeighbor ResizeNearestNeighborGrad ReverseV2 Round Rsqrt ScatterNd Select Selu
Sigmoid Sign Sin Sinh Slice Softmax Softplus SpaceToBatchND SparseToDense SplitV Sqrt Square SquaredDifference
StaticRegexReplace StridedSlice Sub Sum Tan Tanh TensorScatterUpdate Tile TopKV2 Transpose UniqueV2 Unpack
UnsortedSegmentSum Where ZerosLike
""".split()

HEADER = """import type { OpDefinition } from './op-definition';

/** Operations that TensorFlow.js's native kernels run. Written by op-definitions.py from TensorFlow's own registry. */
export const OP_DEFINITIONS: Readonly<Record<string, OpDefinition>> = {
"""


def definition(name):
    op = op_def_registry.get(name)
    inputs = []
    for arg in op.input_arg:
        fields = [("type", arg.type_attr), ("count", arg.number_attr), ("types", arg.type_list_attr)]
        inputs.append(record([(key, value) for key, value in fields if value]))
    attrs = record([(attr.name, attr.type) for attr in op.attr])
    stateful = ", stateful: true" if op.is_stateful else ""
    return f"  {name}: {{ inputs: [{', '.join(inputs)}], attrs: {attrs}{stateful} }},\n"


def record(fields):
    return "{ " + ", ".join(f"{key}: '{value}'" for key, value in fields) + " }" if fields else "{}"


def main():
    target = os.path.join(os.path.dirname(os.path.abspath(__file__)), "src", "op-definition-table.ts")
    text = HEADER + "".join(definition(name) for name in sorted(OPERATIONS)) + "};\n"
    if "--check" in sys.argv:
        with open(target, encoding="utf-8") as file:
            if file.read() != text:
                sys.exit("src/op-definition-table.ts differs from TensorFlow's registry: run op-definitions.py")
        return
    with open(target, "w", encoding="utf-8") as file:
        file.write(text)


main()
