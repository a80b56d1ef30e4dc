export { createExchange, type ExchangeHandle } from './exchange';
export type { ExchangeOptions } from './options';
export type { ExchangeGroup, ExchangeMember } from './group/exchange-group';
export type { ExchangeStats } from './group/counters';
export { runExchangeThread, type ExchangeThread, type ExchangeThreadData } from './thread/exchange-thread';
export { exchangeWorkerData, type ExchangeWorkerData } from './thread/worker-data';
