import { NO_AREAS } from '@lockstep/reduction';
import { Arena, MAX_ARENA_BYTES } from './arena';

test('a round that is too large says what it needs and what there is', () => {
  const arena = Arena.create(1 << 20);
  expect(() => arena.reserve({ flagsBytes: 64, inputBytes: 1 << 20, outputBytes: 1 << 20, scratchBytes: 0 }))
    .toThrow(expect.objectContaining({ reason: 'TOO_LARGE', message: expect.stringMatching(/needs 3 MB of shared memory \(2 MB inputs, 2 MB outputs, 0 MB scratch\), the limit is 2 MB/) }));
});

test('the arena grows under its views', () => {
  const arena = Arena.create(MAX_ARENA_BYTES);
  const before = new Uint8Array(arena.memory.buffer, 0, 8);
  arena.reserve({ ...NO_AREAS, inputBytes: 1_100_000_000 });
  before[3] = 42;
  expect(arena.memory.buffer.byteLength).toBeGreaterThanOrEqual(1_100_000_000);
  expect(new Uint8Array(arena.memory.buffer)[3]).toBe(42);
});
