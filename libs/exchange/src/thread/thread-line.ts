import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads';
import { CollectiveError } from '@lockstep/reduction';
import type { Control } from './control';
import { fromWireError, type Answer, type Command, type FromThread, type Request, type ToThread } from './messages';
import type { ExchangeThreadData } from './exchange-thread';
import type { ExchangeWorkerData } from './worker-data';

/** What an answer that arrived means to the one who asked. */
type Outcome = { readonly kind: 'ANSWERED'; readonly answer: Extract<Answer, { kind: 'DONE' }> } | { readonly kind: 'ERROR'; readonly error: Error };

/** The compute thread's end of the line to the exchange thread: asks with and without blocking. */
export class ThreadLine {
  private readonly waiting = new Map<number, (outcome: Outcome) => void>();
  private readonly failures = new Map<bigint, Error>();
  private nextId = 1;
  private ended: Error | undefined;

  private constructor(
    private readonly worker: Worker,
    private readonly port: MessagePort,
  ) {}

  /**
   * Starts the thread and waits until it listens.
   *
   * @returns the line and the address that peers dial
   * @throws Error when the port is taken, or the thread ends before it listens
   */
  static async start(file: string, data: ExchangeThreadData, extra: unknown, transfer: readonly MessagePort[]): Promise<{ line: ThreadLine; address: string }> {
    const { port1, port2 } = new MessageChannel();
    const workerData: ExchangeWorkerData = { exchange: { port: port2, data }, extra };
    const worker = new Worker(file, { workerData, transferList: [port2, ...transfer] });
    const line = new ThreadLine(worker, port1);
    try {
      const address = await new Promise<string>((resolve, reject) => {
        worker.once('error', reject);
        worker.once('exit', (code) => reject(new Error(`the exchange thread ended with code ${code} before it listened`)));
        port1.on('message', (message: FromThread) => {
          if (message.kind === 'LISTENING') resolve(message.address);
          else if (message.kind === 'CANNOT_LISTEN') reject(fromWireError(message.error));
          else line.receive(message);
        });
      });
      worker.removeAllListeners();
      worker.on('error', (error) => line.end(error));
      worker.on('exit', (code) => line.end(new Error(`the exchange thread ended with code ${code}`)));
      // An exchange alone does not keep a process alive; whoever waits for an answer does.
      port1.unref();
      worker.unref();
      return { line, address };
    } catch (error) {
      port1.close();
      await worker.terminate();
      throw error;
    }
  }

  /** Sends what needs no answer. */
  tell(command: Command): void {
    this.post(command);
  }

  /** Asks without blocking. @throws what the thread answers, or CollectiveError CLOSED when it has ended */
  async ask(request: Request): Promise<void> {
    if (this.ended) throw this.closed(this.ended);
    const id = this.nextId++;
    this.port.ref();
    const outcome = await new Promise<Outcome>((resolve) => {
      this.waiting.set(id, resolve);
      this.post({ kind: 'REQUEST', id, request });
    });
    if (this.waiting.size === 0) this.port.unref();
    if (outcome.kind === 'ERROR') throw outcome.error;
  }

  /**
   * Asks and blocks.
   *
   * @returns undefined when the thread does not answer within `timeoutMs`
   */
  askBlocking(request: Request, control: Control, timeoutMs: number): Extract<Answer, { kind: 'DONE' }> | undefined {
    const outcome = this.request(request, control, timeoutMs);
    return outcome?.kind === 'ANSWERED' ? outcome.answer : undefined;
  }

  /** Asks and blocks. @throws what the thread answers; CollectiveError CLOSED when it has ended, DEADLINE when it does not answer */
  demand(request: Request, control: Control, timeoutMs: number): void {
    if (this.ended) throw this.closed(this.ended);
    const outcome = this.request(request, control, timeoutMs);
    if (outcome?.kind === 'ERROR') throw outcome.error;
    if (!outcome) throw new CollectiveError('DEADLINE', `the exchange thread did not answer ${request.kind} within ${timeoutMs} ms`);
  }

  private request(request: Request, control: Control, timeoutMs: number): Outcome | undefined {
    const id = this.nextId++;
    let outcome: Outcome | undefined;
    this.waiting.set(id, (found) => { outcome = found; });
    this.post({ kind: 'REQUEST', id, request });
    control.waitFor(() => {
      this.readPending();
      return outcome;
    }, performance.now() + timeoutMs);
    this.waiting.delete(id);
    return outcome;
  }

  /** The error that ended a generation's work, if one did. */
  failureOf(generation: bigint): Error | undefined {
    this.readPending();
    return this.failures.get(generation) ?? (this.ended && this.closed(this.ended));
  }

  /** Ends the thread, and with it whatever else runs there. */
  async close(): Promise<void> {
    if (!this.ended) {
      await this.ask({ kind: 'SHUT_DOWN' }).catch((error: unknown) => {
        // A thread that ended instead of answering has done what it was asked; its exit may overtake its answer.
        if (!this.ended) throw error;
      });
    }
    this.end(new Error('the exchange is closed'));
    this.port.close();
    await this.worker.terminate();
  }

  /** Messages that arrived while this thread was blocked. */
  private readPending(): void {
    for (let next = receiveMessageOnPort(this.port); next; next = receiveMessageOnPort(this.port)) this.receive(next.message as FromThread);
  }

  private receive(message: FromThread): void {
    switch (message.kind) {
      case 'FAILED':
        this.failures.set(message.generation, fromWireError(message.error));
        return;
      case 'ANSWER': {
        const resolve = this.waiting.get(message.id);
        this.waiting.delete(message.id);
        resolve?.(message.answer.kind === 'DONE' ? { kind: 'ANSWERED', answer: message.answer } : { kind: 'ERROR', error: fromWireError(message.answer.error) });
        return;
      }
      case 'LISTENING':
      case 'CANNOT_LISTEN':
        return;
    }
  }

  private end(error: Error): void {
    if (this.ended) return;
    // What the thread said before it ended counts.
    this.readPending();
    this.ended = error;
    for (const resolve of this.waiting.values()) resolve({ kind: 'ERROR', error: this.closed(error) });
    this.waiting.clear();
  }

  private closed(cause: Error): CollectiveError {
    return new CollectiveError('CLOSED', cause.message);
  }

  private post(message: ToThread): void {
    if (!this.ended) this.port.postMessage(message);
  }
}
