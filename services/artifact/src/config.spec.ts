import { resolveConfig } from './config';
import { SettingsError } from './settings';

const config = (args: readonly string[], environment: NodeJS.ProcessEnv = {}) => {
  const result = resolveConfig(args, environment);
  if (result.kind === 'HELP') throw new Error('help');
  return result.config;
};
const faults = (args: readonly string[], environment: NodeJS.ProcessEnv = {}): readonly string[] => {
  try {
    resolveConfig(args, environment);
  } catch (e) {
    if (e instanceof SettingsError) return e.faults;
    throw e;
  }
  return [];
};

test('defaults, then the environment, then flags', () => {
  expect(config([], { XDG_DATA_HOME: '/d' })).toEqual({ listen: '127.0.0.1:7402', data: '/d/lockstep/artifact', gcGraceMs: 86_400_000, gcIntervalMs: 3_600_000, logLevel: 'info' });
  expect(config(['--data', '/flag'], { LOCKSTEP_ARTIFACT_DATA: '/env', LOCKSTEP_ARTIFACT_LOG_LEVEL: 'warn' })).toMatchObject({ data: '/flag', logLevel: 'warn' });
  expect(config(['--gc-grace', '7d', '--gc-interval', '0'])).toMatchObject({ gcGraceMs: 7 * 86_400_000, gcIntervalMs: 0 });
  expect(config([], { LOCKSTEP_ARTIFACT_GC_INTERVAL: '90s' })).toMatchObject({ gcIntervalMs: 90_000 });
  expect(config(['--listen=0.0.0.0:0', '--log-level=debug']).listen).toBe('0.0.0.0:0');
});

test.each<readonly [string, readonly string[], NodeJS.ProcessEnv, readonly RegExp[]]>([
  ['an unknown flag, with the nearest', ['--dta', '/x'], {}, [/"--dta" .* did you mean --data\?/]],
  ['an unknown variable, with the nearest', [], { LOCKSTEP_ARTIFACT_LISTN: 'x' }, [/LOCKSTEP_ARTIFACT_LISTN .* did you mean LOCKSTEP_ARTIFACT_LISTEN\?/]],
  ['a flag without its value', ['--data'], {}, [/--data needs a value/]],
  ['several faults at once', ['--listen', 'nowhere', 'stray'], { LOCKSTEP_ARTIFACT_LOG_LEVEL: 'loud' }, [/LOG_LEVEL: "loud"/, /--listen: "nowhere" is not HOST:PORT/, /"stray"/]],
  ['a grace in which an upload may not end', ['--gc-grace', '59m'], {}, [/--gc-grace: "59m" is shorter than an upload may be suspended, 1h/]],
  ['durations that are none', ['--gc-grace', '24', '--gc-interval', '1.5h'], {}, [/--gc-grace: "24" is not a duration/, /--gc-interval: "1.5h" is not a duration/]],
  ['an interval that no timer has', ['--gc-interval', '25d'], {}, [/--gc-interval: "25d" is longer than 576h/]],
  ['a port that is none', ['--listen', 'h:70000'], {}, [/70000/]],
])('%s', (_, args, environment, expected) => {
  const found = faults(args, environment);
  expect(found).toHaveLength(expected.length);
  for (const [i, pattern] of expected.entries()) expect(found[i]).toMatch(pattern);
});

test('variables of others do not matter', () => {
  expect(faults([], { LOCKSTEP_COORDINATOR_LISTEN: 'x', PATH: '/bin' })).toEqual([]);
});

test('help names every flag', () => {
  const result = resolveConfig(['--help'], {});
  expect(result).toMatchObject({ kind: 'HELP', text: expect.stringMatching(/--listen[^]*--data[^]*--gc-grace[^]*24h[^]*--gc-interval[^]*1h[^]*--log-level/) });
});
