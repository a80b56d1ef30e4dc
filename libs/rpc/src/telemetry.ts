/**
 * Telemetry, off unless LOCKSTEP_TELEMETRY=1. Imported by a service before anything else: instrumentation has to be in
 * place before grpc-js is loaded. Exporters are chosen by OpenTelemetry's own variables (OTEL_TRACES_EXPORTER,
 * OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SERVICE_NAME, ...). When it is off, none of its packages is loaded.
 */
import { createRequire } from 'node:module';
import type * as GrpcInstrumentationPackage from '@opentelemetry/instrumentation-grpc';
import type * as SdkPackage from '@opentelemetry/sdk-node';

if (process.env['LOCKSTEP_TELEMETRY'] === '1') {
  const load = createRequire(__filename);
  const { NodeSDK } = load('@opentelemetry/sdk-node') as typeof SdkPackage;
  const { GrpcInstrumentation } = load('@opentelemetry/instrumentation-grpc') as typeof GrpcInstrumentationPackage;
  const sdk = new NodeSDK({ instrumentations: [new GrpcInstrumentation()] });
  sdk.start();
  process.once('beforeExit', () => void sdk.shutdown());
}
