/** Entry of a reader thread: answers each ReadMessage with a ReadReply, in the order of completion. */
import { parentPort, workerData } from 'node:worker_threads';
import { InProcessReader } from './in-process-reader';
import { buffersOf, sendError, type ReaderThreadData, type ReadMessage, type ReadReply } from './reader-messages';

const port = parentPort;
if (!port) throw new Error('reader-thread runs as a worker thread only');
const reader = new InProcessReader(workerData as ReaderThreadData);

async function answer({ id, request }: ReadMessage): Promise<void> {
  try {
    const columns = await reader.read(request);
    port?.postMessage({ id, kind: 'ROWS', columns } satisfies ReadReply, buffersOf(columns));
  } catch (error) {
    port?.postMessage({ id, kind: 'FAILED', error: sendError(error) } satisfies ReadReply);
  }
}

port.on('message', (message: ReadMessage) => void answer(message));
