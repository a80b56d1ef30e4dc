import { readConfig, type TunerConfig } from './config';

const configOf = (argv: readonly string[], env: Readonly<Record<string, string>> = {}): TunerConfig => {
  const result = readConfig(argv, env);
  if (result.kind !== 'CONFIG') throw new Error('it answered with a text');
  return result.config;
};

test('flags come before the environment, and that before defaults', () => {
  expect(configOf([])).toMatchObject({ listen: '127.0.0.1:7403', leaderLeaseMs: 3000, kerasTuner: [], logLevel: 'info' });
  expect(configOf([])).not.toHaveProperty('database');
  const env = { LOCKSTEP_TUNER_LISTEN: '0.0.0.0:1', LOCKSTEP_TUNER_LOG_LEVEL: 'debug', LOCKSTEP_TUNER_KERAS_TUNER: '127.0.0.1:1=a, 0.0.0.0:2', LOCKSTEP_TUNER_SUGGESTION_THREADS: '3' };
  expect(configOf(['--listen', '127.0.0.1:0'], env)).toMatchObject({
    listen: '127.0.0.1:0', logLevel: 'debug', suggestionThreads: 3, kerasTuner: [{ listen: '127.0.0.1:1', study: 'studies/a' }, { listen: '0.0.0.0:2', study: undefined }],
  });
  expect(configOf(['--keras-tuner', '[::1]:5=b', '--keras-tuner', '127.0.0.1:6'], env).kerasTuner).toEqual([{ listen: '[::1]:5', study: 'studies/b' }, { listen: '127.0.0.1:6', study: undefined }]);
});

test('--help is answered with the flags', () => {
  expect(readConfig(['--help'], {})).toMatchObject({ kind: 'HELP', text: expect.stringContaining('--keras-tuner') });
});

test.each([
  [['--listn', 'x'], /listn/],
  [['--listen', 'nowhere'], /--listen "nowhere" is not HOST:PORT/],
  [['--listen', 'a:70000'], /is not HOST:PORT/],
  [['--keras-tuner', '127.0.0.1:1=No Study'], /is not HOST:PORT=STUDY/],
  [['--keras-tuner', 'my-study'], /--keras-tuner "my-study" is not HOST:PORT/],
  [['--suggestion-threads', '0'], /from 1 to 64/],
  [['--leader-lease-ms', '10'], /from 1000/],
  [['--log-level', 'loud'], /"loud" is none of/],
])('%p is refused', (argv, message) => {
  expect(() => readConfig(argv, {})).toThrow(message);
});
