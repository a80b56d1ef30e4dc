/** The child's second thread: the exchange with its peers, and the session with the coordinator. Neither waits for the compute thread. */
import { runExchangeThread } from '@lockstep/exchange';
import { runSessionThread } from './session-thread';

runExchangeThread({ onExtraPort: runSessionThread });
