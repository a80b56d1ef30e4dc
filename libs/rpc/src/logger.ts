import pino from 'pino';

export type { Logger } from 'pino';

/** Levels that LOCKSTEP_LOG_LEVEL takes. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A logger that writes one JSON object a line to standard error; standard output is for what a program was asked. */
export function createLogger(name: string, level: LogLevel = 'info'): pino.Logger {
  return pino({ name, level, base: { name, pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: 2, sync: true }));
}
