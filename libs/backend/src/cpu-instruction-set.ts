import fs from 'node:fs';

/** What of a CPU decides bits, and its name for people. */
export interface Cpu {
  readonly model: string;
  /** The vector extensions by which TensorFlow and oneDNN choose kernels, e.g. `x64 avx avx2 fma`; `unknown` where Linux does not say. */
  readonly instructionSet: string;
}

/** The extensions that oneDNN dispatches float kernels on (oneDNN, "CPU Dispatcher Control"), in its order. */
const DECIDING_FLAGS = [
  'sse4_1', 'avx', 'avx2', 'fma', 'avx_vnni', 'avx512f', 'avx512bw', 'avx512dq', 'avx512vl', 'avx512_vnni', 'avx512_bf16', 'avx512_fp16',
  'amx_tile', 'amx_int8', 'amx_bf16', 'amx_fp16',
  'asimd', 'asimdhp', 'asimddp', 'sve', 'sve2', 'bf16', 'i8mm',
] as const;

/** Reads this machine's CPU. */
export function readCpu(file = '/proc/cpuinfo', arch: string = process.arch): Cpu {
  return parseCpuInfo(fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '', arch);
}

/** Parses Linux's /proc/cpuinfo: the first processor stands for all. */
export function parseCpuInfo(text: string, arch: string): Cpu {
  const field = (name: RegExp): string | undefined => name.exec(text)?.[1]?.trim();
  const flags = field(/^(?:flags|Features)[ \t]*:(.*)$/m);
  const model = field(/^(?:model name|Processor)[ \t]*:(.*)$/m) ?? 'unknown';
  if (flags === undefined) return { model, instructionSet: 'unknown' };
  const present = new Set(flags.split(/\s+/));
  return { model, instructionSet: [arch, ...DECIDING_FLAGS.filter((flag) => present.has(flag))].join(' ') };
}
