/**
 * grpc.reflection, so that grpcurl and its like work without our .proto files.
 *
 * The descriptors that are served are the compiler's own, file by file with their imports. (@grpc/reflection makes them
 * anew from protobufjs, without the imports of well-known types, and Go clients refuse those; its .proto files are used.)
 */
import { toBinary, type DescFile, type DescMessage, type DescService } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { status, type Server, type ServerDuplexStream, type ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { file_google_rpc_error_details } from '@lockstep/contract';
import { dirname, join } from 'node:path';

const PROTO_FOLDER = join(dirname(require.resolve('@grpc/reflection/package.json')), 'build', 'proto', 'grpc', 'reflection');
const VERSIONS = ['v1', 'v1alpha'] as const;

/** A request of the reflection service, as far as it is answered. */
interface ReflectionRequest {
  readonly host: string;
  readonly messageRequest?: 'fileByFilename' | 'fileContainingSymbol' | 'listServices' | 'fileContainingExtension' | 'allExtensionNumbersOfType';
  readonly fileByFilename?: string;
  readonly fileContainingSymbol?: string;
}

/**
 * Adds the reflection service, in both of its versions.
 *
 * @param services all that the server serves
 */
export function addReflection(server: Server, services: readonly DescService[]): void {
  const catalog = new DescriptorCatalog();
  for (const service of services) catalog.addFile(service.file);
  // What errors carry: clients look its types up to show them.
  catalog.addFile(file_google_rpc_error_details);
  const names = services.map((s) => s.typeName).sort();
  for (const version of VERSIONS) {
    const loaded = loadSync(join(PROTO_FOLDER, version, 'reflection.proto'), { oneofs: true });
    const definition = loaded[`grpc.reflection.${version}.ServerReflection`] as unknown as ServiceDefinition;
    server.addService(definition, {
      ServerReflectionInfo: (call: ServerDuplexStream<ReflectionRequest, object>) => {
        call.on('data', (request: ReflectionRequest) => void call.write({ validHost: request.host, originalRequest: request, ...answer(request, catalog, names) }));
        call.on('end', () => call.end());
        call.on('error', () => undefined); // the client has gone
      },
    });
  }
}

function answer(request: ReflectionRequest, catalog: DescriptorCatalog, services: readonly string[]): object {
  if (request.messageRequest === 'listServices') return { listServicesResponse: { service: services.map((name) => ({ name })) } };
  const [what, files] = request.messageRequest === 'fileByFilename' ? [request.fileByFilename, catalog.withImports(request.fileByFilename ?? '')]
    : request.messageRequest === 'fileContainingSymbol' ? [request.fileContainingSymbol, catalog.withImports(catalog.fileOf(request.fileContainingSymbol ?? '') ?? '')]
      : [request.messageRequest, []];
  if (files.length > 0) return { fileDescriptorResponse: { fileDescriptorProto: files } };
  return { errorResponse: { errorCode: status.NOT_FOUND, errorMessage: `${what ?? 'nothing'} is not known here` } };
}

interface KnownFile {
  readonly bytes: Buffer;
  readonly imports: readonly string[];
}

/** Descriptors by file, and files by what they declare. */
class DescriptorCatalog {
  private readonly files = new Map<string, KnownFile>();
  private readonly symbols = new Map<string, string>();

  addFile(file: DescFile): void {
    const { name } = file.proto;
    if (this.files.has(name)) return;
    for (const dependency of file.dependencies) this.addFile(dependency);
    this.files.set(name, { bytes: Buffer.from(toBinary(FileDescriptorProtoSchema, file.proto)), imports: file.dependencies.map((d) => d.proto.name) });
    const declare = (symbol: string): void => void this.symbols.set(symbol, name);
    const visit = (message: DescMessage): void => {
      declare(message.typeName);
      for (const { typeName } of message.nestedEnums) declare(typeName);
      message.nestedMessages.forEach(visit);
    };
    file.messages.forEach(visit);
    for (const { typeName } of file.enums) declare(typeName);
    for (const service of file.services) {
      declare(service.typeName);
      for (const method of service.methods) declare(`${service.typeName}.${method.name}`);
    }
  }

  fileOf(symbol: string): string | undefined {
    return this.symbols.get(symbol);
  }

  /** A file, with everything that it imports behind it; nothing when it is unknown. */
  withImports(name: string): readonly Buffer[] {
    const found = new Map<string, Buffer>();
    const visit = (file: string): void => {
      const known = this.files.get(file);
      if (!known || found.has(file)) return;
      found.set(file, known.bytes);
      known.imports.forEach(visit);
    };
    visit(name);
    return [...found.values()];
  }
}
