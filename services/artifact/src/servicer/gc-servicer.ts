import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { ArtifactService } from '@lockstep/contract';
import type { CallContext, ServiceImplementation } from '@lockstep/rpc';
import type { BlobTotal, GarbageCollector } from '../policy/garbage-collector';

/** Garbage collection on the wire. */
export function gcServicer(collector: GarbageCollector): Pick<ServiceImplementation<typeof ArtifactService>, 'runGc'> {
  return {
    async runGc(request, context: CallContext) {
      const { versions, deletedVersions, kept, condemned, removed } = await collector.run(request.validateOnly, context.signal);
      return {
        versions: BigInt(versions), deletedVersions: BigInt(deletedVersions), kept: totalToProto(kept), condemned: totalToProto(condemned), removed: totalToProto(removed),
        grace: durationFromMs(collector.graceMs),
      };
    },
  };
}

const totalToProto = ({ blobs, sizeBytes }: BlobTotal) => ({ blobs: BigInt(blobs), sizeBytes: BigInt(sizeBytes) });
