import { FilePathTemplate } from './file-path-template';

// Against Python's own format(): callbacks.interop.spec.ts.
test.each<[string, Record<string, number>, string]>([
  ['/plain', {}, '/plain'],
  ['{epoch:02d}-{val_loss:.2f}', { epoch: 7, val_loss: 0.125 }, '07-0.12'],
  ['{val_loss:.2f}', { val_loss: 0.375 }, '0.38'],
  ['{val_loss}', { val_loss: 1 }, '1.0'],
  ['{{{epoch}}}', { epoch: 3 }, '{3}'],
  ['{x:.1f} {y:.1f} {z:.1f}', { x: NaN, y: Infinity, z: -Infinity }, 'nan inf -inf'],
])('%s', (template, values, expected) => {
  expect(new FilePathTemplate(template).format(values)).toBe(expected);
});

test('fields are named once', () => {
  expect(new FilePathTemplate('{epoch}/{val_loss:.2f}-{epoch:02d}').fields).toEqual(['epoch', 'val_loss']);
});

test.each([
  ['{', /'\{' at position 0 belongs to no field; write '\{\{'/], ['a}b', /'\}' at position 1/], ['{}', /the field \{\} cannot be written/], ['{epoch:x}', /\{epoch:x\}/],
  ['{val_loss:d}', /\{val_loss:d\} cannot be written/], ['{val_loss:02d}', /./], ['{val_loss:.2}', /./], ['{val_loss:8}', /./], ['{val_loss:.2e}', /./], ['{epoch:>3}', /./],
] as const)('%s is refused', (template, message) => {
  expect(() => new FilePathTemplate(template)).toThrow(message);
});
