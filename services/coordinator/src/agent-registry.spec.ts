import { create } from '@bufbuild/protobuf';
import { AgentRegisterSchema, WorkerState, type AgentCommand } from '@lockstep/contract';
import { AgentRegistry, type Agent } from './agent-registry';

const START = { token: new Uint8Array([1]), mathThreads: 2, stepTimeoutMs: 1000 };
const register = (worker: string, child?: { job: string; child: string }) => create(AgentRegisterSchema, { worker, host: 'h', pid: 7, version: '0.1.0', ...(child && { child }) });

/** What an agent was told; its commands end with its session. */
async function told({ commands }: Agent): Promise<AgentCommand['command'][]> {
  const all: AgentCommand['command'][] = [];
  for await (const { command } of commands) all.push(command);
  return all;
}

test('a worker is free from the end of its last child to the start of the next', async () => {
  const agents = new AgentRegistry();
  const [b, a] = [agents.attach(register('workers/b'), 0), agents.attach(register('workers/a'), 0)];
  expect(agents.free()).toEqual(['workers/a', 'workers/b']);
  expect(agents.startChild('workers/a', { job: 'jobs/1', child: 'c1' }, START)).toBe(true);
  agents.stopChild('workers/a', 'jobs/1', 'enough');
  agents.stopChild('workers/a', 'jobs/2', 'not its job');
  agents.stopChild('workers/b', 'jobs/1', 'it has none');
  expect(agents.free()).toEqual(['workers/b']);
  expect(agents.list().map((w) => [w.name, w.state, w.job, w.host, w.pid])).toEqual([['workers/a', WorkerState.BUSY, 'jobs/1', 'h', 7], ['workers/b', WorkerState.IDLE, '', 'h', 7]]);
  if (!a || !b) throw new Error('both names were free');
  agents.detach(a);
  agents.detach(b);
  expect(await told(a)).toMatchObject([{ case: 'startChild', value: { job: 'jobs/1', child: 'c1', ...START } }, { case: 'stopChild', value: { child: 'c1', reason: 'enough' } }]);
  expect(await told(b)).toEqual([]);
});

test('one that comes back with its child is not free; one that leaves is not either', () => {
  const agents = new AgentRegistry();
  agents.attach(register('workers/a', { job: 'jobs/1', child: 'c1' }), 0);
  const b = agents.attach(register('workers/b'), 0);
  if (b) b.leaving = true;
  expect([agents.free(), agents.get('workers/a')?.child]).toEqual([[], { job: 'jobs/1', child: 'c1' }]);
});

test('a name is one agent\'s; the end of an old session does not touch the new one', () => {
  const agents = new AgentRegistry();
  const first = agents.attach(register('workers/a'), 0);
  expect(agents.attach(register('workers/a'), 0)).toBeUndefined();
  if (!first) throw new Error('the name was free');
  agents.detach(first);
  const second = agents.attach(register('workers/a'), 1);
  agents.detach(first);
  expect([second && agents.get('workers/a') === second, agents.startChild('workers/none', { job: 'jobs/1', child: 'c' }, START)]).toEqual([true, false]);
});
