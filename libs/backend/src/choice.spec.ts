import { BackendError } from './backend-error';
import { type NativeState, chooseBackend } from './choice';

const usable: NativeState = { kind: 'usable' };
const unusable: NativeState = { kind: 'unusable', why: 'the native addon is not built' };

describe('chooseBackend', () => {
  test.each([
    ['nothing set, native works', {}, usable, 'tensorflow', 'the native addon is built and loads', undefined],
    ['nothing set, no addon', {}, unusable, 'wasm', 'the native addon is not built', /: npm run native$/],
    ['empty variables count as unset', { LOCKSTEP_BACKEND: '', LOCKSTEP_NATIVE: '' }, usable, 'tensorflow', 'the native addon is built and loads', undefined],
    ['opted out', { LOCKSTEP_NATIVE: '0' }, usable, 'wasm', 'LOCKSTEP_NATIVE=0 rules the native backend out', /: unset LOCKSTEP_NATIVE and run npm run native$/],
    ['opted in', { LOCKSTEP_NATIVE: '1' }, usable, 'tensorflow', 'the native addon is built and loads', undefined],
    ['wasm forced', { LOCKSTEP_BACKEND: 'wasm' }, usable, 'wasm', 'LOCKSTEP_BACKEND=wasm forces it', /: unset LOCKSTEP_BACKEND$/],
    ['cpu forced, no addon', { LOCKSTEP_BACKEND: 'cpu' }, unusable, 'cpu', 'LOCKSTEP_BACKEND=cpu forces it', /: npm run native$/],
    ['forcing wins over opting out', { LOCKSTEP_BACKEND: 'tensorflow', LOCKSTEP_NATIVE: '0' }, usable, 'tensorflow', 'LOCKSTEP_BACKEND=tensorflow forces it', undefined],
  ] as const)('%s', (_case, env, native, name, why, faster) => {
    const choice = chooseBackend(env, native, 'linux', 'x64');
    expect([choice.name, choice.why]).toEqual([name, why]);
    if (faster === undefined) expect(choice.faster).toBeUndefined();
    else expect(choice.faster).toMatch(faster);
  });

  test.each([['darwin', 'arm64'], ['linux', 'arm64'], ['win32', 'x64']])('%s-%s is told that the native backend needs linux-x64', (platform, arch) => {
    expect(chooseBackend({}, unusable, platform, arch).faster).toMatch(/it needs linux-x64$/);
  });

  test.each(['tensorFlow', 'webgl', '0'])('LOCKSTEP_BACKEND=%s is refused and the three are named', (value) => {
    const choose = (): unknown => chooseBackend({ LOCKSTEP_BACKEND: value }, usable, 'linux', 'x64');
    expect(choose).toThrow(BackendError);
    expect(choose).toThrow(`LOCKSTEP_BACKEND is "${value}"; set it to one of tensorflow, wasm, cpu`);
  });
});
