import fc from 'fast-check';
import path from 'node:path';
import { filePathFault } from './index';

test.each([
  'a', 'saved_model.pb', 'variables/variables.data-00000-of-00001', 'Split-train/data_tfrecord-00000-of-00001.gz', '.hidden', '...', 'a..b', 'späte/ß', '日本/語', 'with space',
])('%j is a path', (given) => {
  expect(filePathFault(given)).toBeUndefined();
});

test.each([
  ['', 'empty'], ['/etc/passwd', 'absolute'], ['C:/x', 'absolute'], ['..', 'part ".."'], ['a/../b', 'part ".."'], ['./a', 'part "."'], ['a//b', 'empty part'], ['a/', 'empty part'],
  ['a\\b', 'backslash'], ['a\nb', 'control'], ['a\u0000', 'control'], ['a\u0085', 'control'], ['e\u0301', 'normal form'], ['\ud800', 'well-formed'],
  ['x'.repeat(256), '255'], [`${'x/'.repeat(512)}y`, '1024'],
])('%j is refused: %s', (given, why) => {
  expect(filePathFault(given)).toContain(why);
});

test('a path that passes stays below its root', () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom('.', '/', '\\', 'a', 'C', ':', ' ', '~', '\u0000') }), (given) => {
    if (filePathFault(given) !== undefined) return;
    const resolved = path.posix.resolve('/root/here', given);
    expect(resolved.startsWith('/root/here/')).toBe(true);
    expect(path.win32.resolve('D:\\root\\here', given).startsWith('D:\\root\\here\\')).toBe(true);
  }), { numRuns: 2000 });
});
