/** The child's second thread: the exchange with its peers, and the session with the coordinator. Neither waits for the compute thread. */
import { MessagePort } from 'node:worker_threads';
import { exchangeWorkerData, runExchangeThread } from '@lockstep/exchange';
import { runSessionThread } from './session-thread';

const { exchange, extra } = exchangeWorkerData();
if (!(extra instanceof MessagePort)) throw new Error('the exchange thread got no port for the session');
runSessionThread(extra, runExchangeThread(exchange.port, exchange.data), () => process.kill(process.pid, 'SIGKILL'));
