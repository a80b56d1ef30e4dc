/** The artifact that a job's checkpoints are versions of. @param job jobs/{job} */
export const checkpointArtifact = (job: string): string => `artifacts/${job.replace('/', '-')}-checkpoints`;
