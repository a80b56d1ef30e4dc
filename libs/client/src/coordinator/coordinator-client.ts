import { CoordinatorService, type JobEvent, type ShardTable, type TrainJob, type TrainJobSpec, type TrainJobSpecSchema, type Worker } from '@lockstep/contract';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { createClient, openChannel, RpcError, type Channel, type ServiceClient } from '@lockstep/rpc';

/** How long a watch keeps trying to reach a coordinator that has gone. */
const RECONNECT_FOR_MS = 60_000;
const RECONNECT_PAUSE_MS = 500;

/** What a caller may set of a submission. */
export interface SubmitOptions {
  /** Makes the submission idempotent. */
  readonly requestId?: string;
  /** Only checks the spec. */
  readonly validateOnly?: boolean;
}

/** The coordinator's typed client. Its methods throw RpcError. */
export class CoordinatorClient {
  private readonly channel: Channel;
  readonly rpc: ServiceClient<typeof CoordinatorService>;

  constructor(readonly address: string) {
    this.channel = openChannel(address);
    this.rpc = createClient(CoordinatorService, this.channel);
  }

  /** Submits a job. The submission is checked against the artifact service, which may scan data: hence the long deadline. */
  submit(spec: MessageInitShape<typeof TrainJobSpecSchema>, options: SubmitOptions = {}): Promise<TrainJob> {
    return this.rpc.createTrainJob({ spec, requestId: options.requestId ?? '', validateOnly: options.validateOnly ?? false }, { timeoutMs: 300_000, waitForReady: true });
  }

  get(name: string): Promise<TrainJob> {
    return this.rpc.getTrainJob({ name });
  }

  cancel(name: string): Promise<TrainJob> {
    return this.rpc.cancelTrainJob({ name });
  }

  /** All jobs, newest first, page by page. */
  async *list(pageSize = 100): AsyncGenerator<TrainJob> {
    for (let pageToken = '', first = true; first || pageToken !== ''; first = false) {
      const page = await this.rpc.listTrainJobs({ pageSize, pageToken });
      yield* page.jobs;
      pageToken = page.nextPageToken;
    }
  }

  /** The shards of a job's splits. */
  async shardTables(name: string): Promise<readonly ShardTable[]> {
    return (await this.rpc.listShardTables({ name })).shardTables;
  }

  /** All workers, by name. */
  async *workers(pageSize = 100): AsyncGenerator<Worker> {
    for (let pageToken = '', first = true; first || pageToken !== ''; first = false) {
      const page = await this.rpc.listWorkers({ pageSize, pageToken });
      yield* page.workers;
      pageToken = page.nextPageToken;
    }
  }

  /**
   * A job's events from the first (or after a sequence number) until it has ended. A lost connection is taken up again
   * after the last event seen, so none is missed and none comes twice.
   *
   * @throws RpcError when the coordinator refuses, or stays away for a minute
   */
  async *watch(name: string, afterSequence = 0n, signal?: AbortSignal): AsyncGenerator<JobEvent> {
    let after = afterSequence;
    let lostAtMs: number | undefined;
    for (;;) {
      try {
        for await (const event of this.rpc.watchJob({ name, afterSequence: after }, { ...(signal && { signal }) })) {
          lostAtMs = undefined;
          after = event.sequence;
          yield event;
        }
        return;
      } catch (e) {
        const error = RpcError.from(e);
        if (signal?.aborted) return;
        lostAtMs ??= Date.now();
        if (error.code !== 'UNAVAILABLE' || Date.now() - lostAtMs > RECONNECT_FOR_MS) throw error;
        await new Promise((resolve) => setTimeout(resolve, RECONNECT_PAUSE_MS));
      }
    }
  }

  close(): void {
    this.channel.close();
  }
}

export type { JobEvent, TrainJob, TrainJobSpec, Worker };
