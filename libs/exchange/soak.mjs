#!/usr/bin/env node
// Soak: two processes reduce 4 KB and 400 KB in turn until told enough. A stall ends it with the error that names whom was waited for.
// usage: node libs/exchange/soak.mjs [--rounds 200000] [--lengths 1024,100000]   (after npx tsc -b libs/exchange)
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';

const { forkGroup } = createRequire(import.meta.url)('./dist/testing/member-fork.js');
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '200000' }, lengths: { type: 'string', default: '1024,100000' } } });
const rounds = Number(values.rounds);
const lengths = values.lengths.split(',').map(Number);
const SLICE = 10_000;

const members = await forkGroup(2, 2, { timeoutMs: 30_000 });
const startedAt = performance.now();
for (let done = 0; done < rounds;) {
  const slice = Math.min(SLICE, rounds - done);
  const sliceAt = performance.now();
  await Promise.all(members.map((member) => member.expect({ kind: 'SOAK', rounds: slice, lengths })));
  done += slice;
  console.log(`${done} rounds, ${((performance.now() - sliceAt) / slice).toFixed(3)} ms a round`);
}
const [{ stats }] = await Promise.all(members.map((member) => member.expect({ kind: 'STATS' })));
await Promise.all(members.map((member) => member.expect({ kind: 'CLOSE' })));
await Promise.all(members.map(({ exited }) => exited));
console.log(JSON.stringify({ rounds: stats.rounds, lengths, seconds: Math.round((performance.now() - startedAt) / 1000), wireSentBytes: stats.wireSentBytes, plannedSentBytes: stats.plannedSentBytes }));
