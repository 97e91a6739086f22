/** Logs, traces and metrics. */
export { createLogger, type LogFields, type Logger, type LogLevel, silentLogger } from './logger.ts';
export { startTelemetry, type Telemetry } from './setup.ts';
