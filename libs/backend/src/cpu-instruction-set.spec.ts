import { parseCpuInfo } from './cpu-instruction-set';

describe('parseCpuInfo', () => {
  test.each([
    ['x64 in the order of dispatch, not of the file', 'model name\t: Intel(R) Xeon(R)\nflags\t\t: fpu avx512f fma avx2 sse4_1 avx\n\nprocessor\t: 1\nflags\t\t: fpu\n', 'x64',
      { model: 'Intel(R) Xeon(R)', instructionSet: 'x64 sse4_1 avx avx2 fma avx512f' }],
    ['no flag is taken for another that begins like it', 'flags\t: avx512_vnni avx512vbmi\n', 'x64', { model: 'unknown', instructionSet: 'x64 avx512_vnni' }],
    ['arm64', 'processor\t: 0\nFeatures\t: fp asimd sve bf16\n', 'arm64', { model: 'unknown', instructionSet: 'arm64 asimd sve bf16' }],
    ['no such file', '', 'arm64', { model: 'unknown', instructionSet: 'unknown' }],
  ])('%s', (_case, text, arch, expected) => {
    expect(parseCpuInfo(text, arch)).toEqual(expected);
  });
});
