import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { leafValues } from '../testing/leaf-values';
import { copyAligned } from './aligned-copy';
import { Arena } from './arena';
import { ArenaAccess } from './arena-access';

test('the committed module is what kernel.wat compiles to', () => {
  const generated = execFileSync(process.execPath, [path.join(__dirname, '..', '..', 'kernel', 'generate.mjs'), '--print'], { encoding: 'utf8' });
  expect(fs.readFileSync(path.join(__dirname, 'kernel-binary.ts'), 'utf8')).toBe(generated);
});

const arena = Arena.create(1 << 20);
arena.reserve({ flagsBytes: 0, inputBytes: 1 << 19, outputBytes: 0, scratchBytes: 0 });
const access = new ArenaAccess(arena.memory);
const floats = (address: number, length: number): Float32Array => new Float32Array(arena.memory.buffer, address, length);
const [A, B, C] = [0, 1 << 17, 1 << 18];

test('add gives the bits of JavaScript, for every length and target, and touches nothing beside', () => {
  fc.assert(fc.property(fc.nat(300), fc.constantFrom(A, B, C), fc.nat(7), (length, target, skew) => {
    const shift = skew * 4;
    const [left, right] = [leafValues(0, 0, length, length), leafValues(1, 0, length, length)];
    floats(A + shift, length).set(left);
    floats(B + shift, length).set(right);
    floats(target + shift + length * 4, 1)[0] = 123;
    access.add(target + shift, A + shift, B + shift, length * 4);
    const expected = left.map((value, i) => Math.fround(value + (right[i] ?? 0)));
    expect(Buffer.compare(Buffer.from(floats(target + shift, length).slice().buffer), Buffer.from(expected.buffer))).toBe(0);
    expect(floats(target + shift + length * 4, 1)[0]).toBe(123);
  }));
});

test.each([
  ['zeros keep their sign', -0, -0, -0],
  ['opposite zeros', 0, -0, 0],
  ['infinity', Infinity, 1, Infinity],
  ['infinities that cancel', Infinity, -Infinity, Number.NaN],
  ['overflow', 3e38, 3e38, Infinity],
  ['subnormals are not flushed', 1e-45, 1e-45, Math.fround(2.8e-45)],
])('%s', (_title, a, b, expected) => {
  for (const at of [0, 16]) {
    floats(A, 17).fill(a);
    floats(B, 17).fill(b);
    access.add(C, A, B, 17 * 4);
    expect(Object.is(floats(C, 17)[at], expected)).toBe(true);
  }
});

test('copy copies', () => {
  const values = leafValues(2, 0, 0, 1000);
  floats(A, 1000).set(values);
  access.copy(C, A, 4000);
  expect(floats(C, 1000)).toEqual(floats(A, 1000));
});

test.each([0, 1, 3, 4, 5, 7].flatMap((source) => [0, 4, 8].map((target): [number, number] => [source, target])))('copyAligned takes a payload that starts %i bytes off, to an address %i bytes off', (source, target) => {
  for (const length of [0, 5, 1000, 65_536, 70_001, 131_073]) {
    const buffer = Buffer.alloc(length + 8, 0).map((_, i) => (i * 31 + length) & 0xff);
    access.bytes(C - 8, length + 32).fill(0xee);
    copyAligned(access.bytes(C, length + 16), target, buffer.subarray(source, source + length));
    expect(Buffer.compare(access.bytes(C + target, length), buffer.subarray(source, source + length))).toBe(0);
    expect([...access.bytes(C + target - 1, 1), ...access.bytes(C + target + length, 1)]).toEqual([0xee, 0xee]);
  }
});
