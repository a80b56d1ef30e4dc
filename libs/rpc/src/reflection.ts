import type { DescFile, DescService } from '@bufbuild/protobuf';
import { toBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import type { Server } from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer, loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { create } from '@bufbuild/protobuf';
import { ReflectionService } from '@grpc/reflection';

/**
 * Serves grpc.reflection, so that grpcurl and its like work without our .proto files.
 *
 * @param extraProto path of a further .proto file whose services are listed too
 */
export function addReflection(server: Server, services: readonly DescService[], extraProto: string): void {
  const files = new Map<string, DescFile>();
  const visit = (file: DescFile): void => {
    if (files.has(file.name)) return;
    for (const dependency of file.dependencies) visit(dependency);
    files.set(file.name, file);
  };
  for (const service of services) visit(service.file);
  const set = create(FileDescriptorSetSchema, { file: [...files.values()].map((file) => file.proto) });
  const definition: PackageDefinition = {
    ...loadFileDescriptorSetFromBuffer(Buffer.from(toBinary(FileDescriptorSetSchema, set)), { keepCase: true }),
    ...loadSync(extraProto, { keepCase: true }),
  };
  new ReflectionService(definition).addToServer(server);
}
