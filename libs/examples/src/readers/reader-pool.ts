/**
 * Reads and parses off the compute thread.
 *
 * 1. At most `requestsPerThread` requests are with a thread; more wait in line, in order.
 * 2. Every request ends: with rows, with the thread's error, or by its deadline.
 * 3. Idle threads do not keep the process alive; a request under way does.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ExamplesError } from '../examples-error';
import type { Columns } from '../example/parse-spec';
import type { RecordStoreOptions } from '../records/record-store';
import { receiveError, type ReaderThreadData, type ReadMessage, type ReadReply } from './reader-messages';
import type { RowReader, RowRequest } from './row-reader';

export interface ReaderPoolOptions extends RecordStoreOptions {
  /** Default: 1. */
  readonly threads?: number;
  /** How long a request may take, waiting in line included; the first one on a file indexes it. Default: 10 minutes. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 600_000;
const REQUESTS_PER_THREAD = 2;

interface Pending {
  readonly request: RowRequest;
  readonly resolve: (columns: Columns) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

interface Thread {
  readonly worker: Worker;
  readonly requests: Map<number, Pending>;
}

/** @throws ExamplesError BAD_ARGUMENT */
export function createReaderPool(options: ReaderPoolOptions): RowReader {
  return new ReaderPool(options);
}

/** Behind createReaderPool. */
export class ReaderPool implements RowReader {
  private readonly threads = new Set<Thread>();
  private readonly waiting: [number, Pending][] = [];
  private readonly threadCount: number;
  private readonly timeoutMs: number;
  private lastId = 0;
  private closed = false;

  /** @param threadPath compiled entry of a thread */
  constructor(
    private readonly options: ReaderPoolOptions,
    private readonly threadPath = compiledThread(),
  ) {
    this.threadCount = options.threads ?? 1;
    this.timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    if (!Number.isInteger(this.threadCount) || this.threadCount < 1) throw new ExamplesError('BAD_ARGUMENT', `a pool of readers has at least one thread, not ${this.threadCount}`);
    if (!(this.timeoutMs > 0 && this.timeoutMs < 2 ** 31)) throw new ExamplesError('BAD_ARGUMENT', `a reader's deadline must lie between 1 ms and 24 days, not at ${this.timeoutMs} ms`);
  }

  read(request: RowRequest): Promise<Columns> {
    if (this.closed) return Promise.reject(new ExamplesError('CLOSED', 'the readers were closed: nothing more can be read'));
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.expire(id, request), this.timeoutMs);
      this.waiting.push([id, { request, resolve, reject, timer }]);
      this.dispatch();
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    const error = new ExamplesError('CLOSED', 'the readers were closed while they read');
    for (const [, pending] of this.waiting.splice(0)) this.fail(pending, error);
    const threads = [...this.threads];
    this.threads.clear();
    for (const { requests } of threads) for (const pending of requests.values()) this.fail(pending, error);
    await Promise.all(threads.map(({ worker }) => {
      // Idle threads are not waited for by the process; the one who closes them does wait.
      worker.ref();
      return worker.terminate();
    }));
  }

  private dispatch(): void {
    while (this.waiting.length > 0) {
      const thread = this.freeThread();
      const next = thread && this.waiting.shift();
      if (!thread || !next) return;
      const [id, pending] = next;
      thread.requests.set(id, pending);
      thread.worker.ref();
      thread.worker.postMessage({ id, request: pending.request } satisfies ReadMessage);
    }
  }

  /** The thread with the fewest requests, a new one while there may be more. */
  private freeThread(): Thread | undefined {
    const [least] = [...this.threads].sort((a, b) => a.requests.size - b.requests.size);
    if (least?.requests.size === 0) return least;
    if (this.threads.size < this.threadCount) return this.startThread();
    return least && least.requests.size < REQUESTS_PER_THREAD ? least : undefined;
  }

  private startThread(): Thread {
    const { cacheFolder, memoryBytes } = this.options;
    const workerData: ReaderThreadData = { cacheFolder, ...(memoryBytes !== undefined && { memoryBytes }) };
    const thread: Thread = { worker: new Worker(this.threadPath, { workerData }), requests: new Map() };
    this.threads.add(thread);
    thread.worker.unref();
    thread.worker.on('message', (reply: ReadReply) => this.settle(thread, reply));
    thread.worker.on('error', (error) => this.lose(thread, error.message));
    thread.worker.on('exit', (code) => this.lose(thread, `it exited with code ${code}`));
    return thread;
  }

  private settle(thread: Thread, reply: ReadReply): void {
    const pending = thread.requests.get(reply.id);
    thread.requests.delete(reply.id);
    if (thread.requests.size === 0) thread.worker.unref();
    if (pending) {
      clearTimeout(pending.timer);
      switch (reply.kind) {
        case 'ROWS':
          pending.resolve(reply.columns);
          break;
        case 'FAILED':
          pending.reject(receiveError(reply.error));
      }
    }
    this.dispatch();
  }

  private lose(thread: Thread, why: string): void {
    if (!this.threads.delete(thread)) return;
    for (const pending of thread.requests.values()) {
      this.fail(pending, new ExamplesError('READER_LOST', `a reader thread ended while it read ${list(pending.request.files)}: ${why}`));
    }
    this.dispatch();
  }

  /** A thread that answers too late may hang: it is ended, and what else it had is refused as lost. */
  private expire(id: number, request: RowRequest): void {
    const error = new ExamplesError('DEADLINE', `reading ${request.recordOfRow.length} records of ${list(request.files)} took longer than ${this.timeoutMs} ms: check the disk, or allow more time`);
    const inLine = this.waiting.findIndex(([waitingId]) => waitingId === id);
    if (inLine >= 0) for (const [, pending] of this.waiting.splice(inLine, 1)) this.fail(pending, error);
    for (const thread of this.threads) {
      const pending = thread.requests.get(id);
      if (!pending) continue;
      this.fail(pending, error);
      thread.requests.delete(id);
      this.lose(thread, 'a request before it passed its deadline');
      void thread.worker.terminate();
    }
  }

  private fail(pending: Pending, error: Error): void {
    clearTimeout(pending.timer);
    pending.reject(error);
  }
}

const list = (files: readonly string[]): string => (files.length <= 3 ? files.join(', ') : `${files.slice(0, 3).join(', ')} and ${files.length - 3} more files`);

/** The compiled thread: beside this file, or in dist when this file runs from its source. */
function compiledThread(): string {
  const beside = join(__dirname, 'reader-thread.js');
  return existsSync(beside) ? beside : join(__dirname, '..', '..', 'dist', 'readers', 'reader-thread.js');
}
