import pino from 'pino';

export type LogFields = Readonly<Record<string, unknown>>;

/** Structured log lines. Fields first in meaning, message last: `logger.info({ orgId }, 'Key issued')`. */
export type Logger = {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
};

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

// A secret reaches a log only by mistake; these are the names such mistakes have.
const redact = ['authorization', 'password', 'secret', 'token', 'apiKey', 'privateJwk'].flatMap((name) => [
  name,
  `*.${name}`,
]);

/** One JSON object a line on standard output, as the cluster's collector expects. */
export function createLogger(options: { name: string; level: LogLevel }): Logger {
  return pino({
    name: options.name,
    level: options.level,
    redact: { paths: redact, censor: '[redacted]' },
    base: { service: options.name },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    errorKey: 'error',
    serializers: { error: pino.stdSerializers.errWithCause },
  });
}

export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {}
