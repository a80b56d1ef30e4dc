export {
  DEFAULT_LIMITS, startArtifactService, type ArtifactLimits, type ArtifactServiceOptions, type RunningArtifactService,
} from './artifact-service';
export type { BlobCallLimits } from './servicer/blob-servicer';
