import type { MessageInitShape } from '@bufbuild/protobuf';
import type { JobEvent, TrainJob, TrainJobSpecSchema } from '@lockstep/contract';

/** The coordinator, as far as a tuner needs it: CoordinatorClient is one. All of it throws RpcError. */
export interface Jobs {
  /** A second submission with the same request id answers with the first one's job. */
  submit(spec: MessageInitShape<typeof TrainJobSpecSchema>, options: { readonly requestId?: string; readonly validateOnly?: boolean }): Promise<TrainJob>;
  get(name: string): Promise<TrainJob>;
  cancel(name: string): Promise<TrainJob>;
  /** The job's events from the first until it has ended, or the signal aborts. */
  watch(name: string, afterSequence?: bigint, signal?: AbortSignal): AsyncIterable<JobEvent>;
}
