import { BackendError } from './backend-error';
import { type Environment, readVariable } from './environment';

/** The backends that Lockstep runs on, fastest first. */
export const BACKEND_NAMES = ['tensorflow', 'wasm', 'cpu'] as const;

/** `tensorflow`: tfjs-node's addon over libtensorflow. `wasm`: XNNPACK in WebAssembly. `cpu`: plain JavaScript. */
export type BackendName = (typeof BACKEND_NAMES)[number];

/** Whether the native addon can be used, and if not, a sentence fragment that says why. */
export type NativeState =
  | { readonly kind: 'usable' }
  | { readonly kind: 'unusable'; readonly why: string };

/** A backend, why it was chosen, and what would make training faster (absent when nothing would). */
export interface BackendChoice {
  readonly name: BackendName;
  readonly why: string;
  readonly faster?: string;
}

/** What LOCKSTEP_BACKEND forces, or undefined. @throws BackendError UNKNOWN_BACKEND naming the three. */
export function forcedBackend(env: Environment): BackendName | undefined {
  const value = readVariable(env, 'LOCKSTEP_BACKEND');
  if (value === undefined) return undefined;
  const name = BACKEND_NAMES.find((known) => known === value);
  if (name === undefined) {
    throw new BackendError('UNKNOWN_BACKEND', `LOCKSTEP_BACKEND is ${JSON.stringify(value)}; set it to one of ${BACKEND_NAMES.join(', ')}, or unset it to let Lockstep choose`);
  }
  return name;
}

/** True when LOCKSTEP_NATIVE=0 keeps the native backend from being built and chosen. */
export const isNativeOptedOut = (env: Environment): boolean => readVariable(env, 'LOCKSTEP_NATIVE') === '0';

/** True where the native backend can be built at all. */
export const isNativePlatform = (platform: string, arch: string): boolean => platform === 'linux' && arch === 'x64';

const NATIVE_IS_FASTER = 'the native backend runs dense layers about 6 times faster and trains convolutions and embeddings';

/** What to do to get a faster backend than wasm or cpu. */
function advise(env: Environment, platform: string, arch: string): string {
  if (!isNativePlatform(platform, arch)) return `${NATIVE_IS_FASTER}; it needs linux-x64`;
  if (isNativeOptedOut(env)) return `${NATIVE_IS_FASTER}: unset LOCKSTEP_NATIVE and run npm run native`;
  return `${NATIVE_IS_FASTER}: npm run native`;
}

/**
 * Which backend an environment gets, wasm's own availability aside. Pure.
 * @param native whether the addon works; not looked at when the environment decides
 * @throws BackendError UNKNOWN_BACKEND
 */
export function chooseBackend(env: Environment, native: NativeState, platform: string, arch: string): BackendChoice {
  const forced = forcedBackend(env);
  if (forced !== undefined) {
    const why = `LOCKSTEP_BACKEND=${forced} forces it`;
    if (forced === 'tensorflow') return { name: forced, why };
    const forcedAdvice = native.kind === 'usable' ? `${NATIVE_IS_FASTER}: unset LOCKSTEP_BACKEND` : advise(env, platform, arch);
    return { name: forced, why, faster: forcedAdvice };
  }
  if (isNativeOptedOut(env)) return { name: 'wasm', why: 'LOCKSTEP_NATIVE=0 rules the native backend out', faster: advise(env, platform, arch) };
  switch (native.kind) {
    case 'usable':
      return { name: 'tensorflow', why: 'the native addon is built and loads' };
    case 'unusable':
      return { name: 'wasm', why: native.why, faster: advise(env, platform, arch) };
  }
}
