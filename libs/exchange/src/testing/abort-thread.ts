// A thread file as a service would write one: the exchange, and beside it code that aborts when a message says so.
import type { MessagePort } from 'node:worker_threads';
import { runExchangeThread } from '../thread/exchange-thread';
import { exchangeWorkerData } from '../thread/worker-data';

const { exchange, extra } = exchangeWorkerData();
const thread = runExchangeThread(exchange.port, exchange.data);
(extra as { readonly abortPort: MessagePort }).abortPort.on('message', (message: string) => thread.abort(message));
