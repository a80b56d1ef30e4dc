// Processes that only get anywhere together, as one contender.
import net from 'node:net';
import { BenchError } from './bench-error.mjs';
import { startContender } from './contender.mjs';

/**
 * Starts all members at once. The group's measurement is its slowest member's.
 * @param {string} name
 * @param {Parameters<typeof startContender>[0][]} members
 * @returns the contender that startContender describes
 */
export async function startGroup(name, members) {
  const outcomes = await Promise.allSettled(members.map((options) => startContender(options)));
  const started = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const stop = async () => { await Promise.all(started.map((member) => member.stop())); };
  const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  if (failures.length > 0) {
    await stop();
    throw new BenchError(failures.map((failure) => failure.message).join('; '));
  }
  return {
    name,
    about: started[0].about,
    measure: async (size) => Math.max(...await Promise.all(started.map((member) => member.measure(size)))),
    stop,
  };
}

/** Ports of the loopback interface that were free a moment ago: all of them are held before one is given up. */
export async function freePorts(count) {
  const servers = await Promise.all(Array.from({ length: count }, () => new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject).listen(0, '127.0.0.1', () => { resolve(server); });
  })));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => { server.close(resolve); })));
  return ports;
}
