// The default thread file of createExchange: the exchange and nothing else.
import { exchangeWorkerData } from './worker-data';
import { runExchangeThread } from './exchange-thread';

const { exchange } = exchangeWorkerData();
runExchangeThread(exchange.port, exchange.data);
