import { DataType } from './data-type';
import type { NativeAttr } from './native-backend';
import { resolveAttrs } from './op-attributes';
import { OP_DEFINITIONS } from './op-definition-table';

const { FLOAT, INT32, BOOL } = DataType;
const attr = (name: string, value: unknown): NativeAttr => ({ name, type: 0, value });

function resolve(op: string, given: readonly NativeAttr[], inputTypes: readonly number[]): ReturnType<typeof resolveAttrs> {
  const definition = OP_DEFINITIONS[op];
  if (definition === undefined) throw new Error(`no ${op}`);
  return resolveAttrs(op, definition, given, inputTypes);
}

describe('resolveAttrs', () => {
  test.each([
    ['fills a type from the input', 'Relu', [], [FLOAT], { T: { kind: 'type', value: FLOAT } }],
    ['overrules a wrong type', 'Equal', [attr('T', FLOAT)], [BOOL, BOOL], { T: { kind: 'type', value: BOOL } }],
    ['counts a list of one type', 'ConcatV2', [], [FLOAT, FLOAT, FLOAT, INT32], { N: { kind: 'int', value: 3 }, T: { kind: 'type', value: FLOAT }, Tidx: { kind: 'type', value: INT32 } }],
    ['keeps a type of the output', 'Cast', [attr('SrcT', INT32), attr('DstT', FLOAT)], [BOOL], { SrcT: { kind: 'type', value: BOOL }, DstT: { kind: 'type', value: FLOAT } }],
    ['keeps lists, strings and numbers', 'MaxPool', [attr('ksize', [1, 2, 2, 1]), attr('padding', 'SAME')], [FLOAT], {
      ksize: { kind: 'list(int)', value: [1, 2, 2, 1] }, padding: { kind: 'string', value: 'SAME' }, T: { kind: 'type', value: FLOAT },
    }],
  ] as const)('%s', (_title, op, given, types, expected) => {
    expect(resolve(op, given, types)).toEqual({ attrs: expected, problems: [] });
  });

  test.each([
    ['an attribute that the operation lacks', 'Relu', [attr('alpha', 1)], [FLOAT], 'Relu has no attribute alpha'],
    ['a number for a list', 'MaxPool', [attr('ksize', 2)], [FLOAT], 'ksize of MaxPool is a list(int)'],
    ['a fraction for an integer', 'OneHot', [attr('axis', 0.5)], [INT32, INT32, FLOAT, FLOAT], 'axis of OneHot is a int'],
    ['an input too many', 'Relu', [], [FLOAT, FLOAT], 'Relu takes 1 inputs'],
  ] as const)('reports %s', (_title, op, given, types, message) => {
    expect(resolve(op, given, types).problems.join()).toContain(message);
  });
});
