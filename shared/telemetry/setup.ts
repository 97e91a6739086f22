/** The one place that knows the OpenTelemetry SDK; everything else speaks its API, which costs nothing until this ran. */
export type Telemetry = { shutdown(): Promise<void> };

/**
 * Starts trace and metric export when the standard variable OTEL_EXPORTER_OTLP_ENDPOINT is given, else nothing.
 * The SDK is loaded only then: it costs tens of milliseconds at start and tens of megabytes.
 */
export async function startTelemetry(options: {
  serviceName: string;
  endpoint: string | undefined;
}): Promise<Telemetry> {
  if (options.endpoint === undefined) return { shutdown: async () => undefined };
  const { NodeSDK } = await import('@opentelemetry/sdk-node');
  const sdk = new NodeSDK({ serviceName: options.serviceName, instrumentations: [] });
  sdk.start();
  return { shutdown: () => sdk.shutdown() };
}
