// A member of a group as a process of its own, driven over its fork's channel. It ends by itself after CLOSE.
import { createHash } from 'node:crypto';
import { CollectiveError, type Collective } from '@lockstep/reduction';
import { createExchange, type ExchangeHandle } from '../exchange';
import { leafValues, sumOver } from './leaf-values';
import type { MemberCommand, MemberReply } from './member-protocol';

let exchange: ExchangeHandle | undefined;
let collective: Collective | undefined;

async function perform(command: MemberCommand): Promise<MemberReply> {
  switch (command.kind) {
    case 'CREATE':
      exchange = await createExchange(command.options);
      return { address: exchange.address };
    case 'CONFIGURE':
      collective = await opened(exchange).configure(command.group);
      return {};
    case 'ROUND':
      return { digests: round(opened(collective), command) };
    case 'SOAK':
      soak(opened(collective), command.rounds, command.lengths);
      return {};
    case 'AGREE':
      opened(collective).agree(command.position, { digest: createHash('sha256').update(command.label).digest(), label: command.label });
      return {};
    case 'STATS':
      return { stats: opened(exchange).stats() };
    case 'LEAVE':
      await opened(collective).close();
      return {};
    case 'CLOSE':
      await opened(exchange).close();
      return {};
  }
}

function round(group: Collective, { position, bucketLengths, present, seed }: Extract<MemberCommand, { kind: 'ROUND' }>): string[] {
  group.begin({ position, bucketLengths, present });
  bucketLengths.forEach((length, bucket) => {
    group.roots.forEach((root, i) => {
      const sum = sumOver(root, present, (replica) => leafValues(replica, bucket, seed, length));
      if (sum) group.input(bucket, i).set(sum);
    });
    group.submit(bucket);
  });
  return bucketLengths.map((_, bucket) => {
    const values = group.wait(bucket);
    return createHash('sha256').update(Buffer.from(values.buffer, values.byteOffset, values.byteLength)).digest('hex');
  });
}

function soak(group: Collective, rounds: number, lengths: readonly number[]): void {
  const present = Array<boolean>(group.replicas).fill(true);
  for (let step = 0; step < rounds; step++) {
    const length = lengths[step % lengths.length] ?? 0;
    group.begin({ position: { call: 0, epoch: 0, phase: 'TRAIN', step }, bucketLengths: [length], present });
    const value = (step % 1000) + 1;
    group.roots.forEach((root, i) => {
      const input = group.input(0, i);
      // Both ends and the middle: where chunks and ranges meet.
      for (const at of [0, length >> 1, length - 1]) input[at] = value * (root.to - root.from);
    });
    group.submit(0);
    const output = group.wait(0);
    for (const at of [0, length >> 1, length - 1]) {
      if (output[at] !== value * group.replicas) throw new Error(`round ${step}: element ${at} of ${length} is ${output[at]}, not ${value * group.replicas}`);
    }
  }
}

function opened<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('commands came out of order');
  return value;
}

const replyOf = (error: unknown): MemberReply => ({
  error: error instanceof CollectiveError
    ? { name: error.name, message: error.message, reason: error.reason, ...error.details }
    : { name: error instanceof Error ? error.name : typeof error, message: error instanceof Error ? error.message : String(error) },
});

process.on('message', (command: MemberCommand) => {
  void perform(command).catch(replyOf).then((reply) => {
    process.send?.(reply);
    if (command.kind === 'CLOSE') process.disconnect();
  });
});
