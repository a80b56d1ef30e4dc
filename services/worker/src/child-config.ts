/** What an agent tells its child, as one JSON line on the child's standard input; the input's end tells that the agent is gone. */
export interface ChildConfig {
  readonly job: string;
  readonly worker: string;
  /** Names this process. */
  readonly child: string;
  /** Secret of the job, base64. */
  readonly token: string;
  /** host:port of the coordinator. */
  readonly coordinator: string;
  /** Host that the exchange listens on, and under which peers reach it. */
  readonly host: string;
  /** Folder of downloaded artifacts, shared by the jobs of this agent. */
  readonly cacheFolder: string;
  /** Scratch folder of this job. */
  readonly workFolder: string;
  readonly mathThreads: number;
  /** How long a step may take. */
  readonly stepTimeoutMs: number;
}

/** @throws Error when the line is not a config: agent and child are of different versions. */
export function parseChildConfig(line: string): ChildConfig {
  const value = JSON.parse(line) as Partial<ChildConfig>;
  const { job, worker, child, token, coordinator, host, cacheFolder, workFolder, mathThreads, stepTimeoutMs } = value;
  if ([job, worker, child, token, coordinator, host, cacheFolder, workFolder].some((v) => typeof v !== 'string') || typeof mathThreads !== 'number' || typeof stepTimeoutMs !== 'number') {
    throw new Error('the agent sent a config that this child does not understand');
  }
  return value as ChildConfig;
}
