import type { Writable } from 'node:stream';

/** Writes all messages to a call, waiting for drain, and ends it. Stops quietly when the call is destroyed: its status says why. */
export async function writeAll(call: Writable, messages: AsyncIterable<object>): Promise<void> {
  for await (const message of messages) {
    if (call.destroyed || call.writableEnded) return;
    if (!call.write(message)) await drained(call);
  }
  call.end();
}

function drained(call: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      call.off('drain', done);
      call.off('close', done);
      call.off('error', done);
      resolve();
    };
    call.once('drain', done);
    call.once('close', done);
    call.once('error', done);
  });
}
