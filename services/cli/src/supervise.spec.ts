import { CliError } from './cli-error';
import { supervise, type SupervisedProcess } from './supervise';

const KILLED = { code: null, signal: 'SIGKILL' };

function service(exited: SupervisedProcess['exited'], isStopping = false): SupervisedProcess {
  return { name: 'tuner', pid: 7, logFile: 'tuner.log', exited, isStopping };
}

const forever = (): SupervisedProcess => service(new Promise(() => undefined));

function recorder() {
  const remarks: string[] = [];
  return { remarks, output: { remark: (text: string): void => void remarks.push(text) } };
}

test('a service that is killed while it starts again is started once more', async () => {
  const { remarks, output } = recorder();
  let tries = 0;
  const back = new Promise<void>((resolve) => {
    void supervise(service(Promise.resolve(KILLED)), () => {
      if (++tries < 3) return Promise.reject(new CliError('tuner could not start (SIGKILL)', ''));
      setImmediate(resolve);
      return Promise.resolve(forever());
    }, output, new AbortController().signal);
  });
  await back;
  expect(remarks.map((text) => text.split(';')[0])).toEqual([
    'tuner ended by itself (SIGKILL)', 'tuner ended by itself (tuner could not start (SIGKILL))', 'tuner ended by itself (tuner could not start (SIGKILL))', 'tuner is back (process 7)',
  ]);
});

test('one that never starts is given up, with what it said', async () => {
  const { output } = recorder();
  const error = new CliError('tuner could not start (exit code 1): no such folder', 'Its log is tuner.log.');
  expect(await supervise(service(Promise.resolve(KILLED)), () => Promise.reject(error), output, new AbortController().signal)).toBe(error);
});

test('one that ends again and again is given up', async () => {
  const { output } = recorder();
  const given = await supervise(service(Promise.resolve(KILLED)), () => Promise.resolve(service(Promise.resolve(KILLED))), output, new AbortController().signal);
  expect(given.message).toMatch(/ended by itself more than 5 times within 60 s \(SIGKILL\)/);
});

test('nothing is started again once all are to end', async () => {
  const { remarks, output } = recorder();
  const leave = new AbortController();
  let tries = 0;
  const supervision = supervise(service(Promise.resolve(KILLED)), () => {
    tries++;
    leave.abort();
    return Promise.reject(new CliError('tuner could not start (SIGTERM)', ''));
  }, output, leave.signal);
  const stopped = supervise(service(Promise.resolve(KILLED), true), () => Promise.reject(new Error('it was started')), output, leave.signal);
  await Promise.race([supervision, stopped, new Promise((resolve) => setTimeout(resolve, 1500))]);
  expect([tries, remarks.length]).toEqual([1, 1]);
});
