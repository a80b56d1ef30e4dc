import { isMainThread, workerData, type MessagePort } from 'node:worker_threads';
import type { ExchangeThreadData } from './exchange-thread';

/** What a thread file finds in its worker data. */
export interface ExchangeWorkerData {
  /** Arguments of runExchangeThread. */
  readonly exchange: { readonly port: MessagePort; readonly data: ExchangeThreadData };
  /** `threadExtra` of the options. */
  readonly extra: unknown;
}

/** @throws Error outside a thread that createExchange started */
export function exchangeWorkerData(): ExchangeWorkerData {
  if (isMainThread || typeof workerData !== 'object' || workerData === null || !('exchange' in workerData)) {
    throw new Error('this file runs as the threadFile of createExchange only');
  }
  return workerData as ExchangeWorkerData;
}
