import { z } from 'zod';

/** Variables that several functions share, each with one meaning. */
export const commonConfig = {
  /** Given by Knative; the only port a function listens on. */
  PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** Proxies in front of us that append to X-Forwarded-For; with one too many a caller chooses his address. */
  TRUSTED_HOPS: z.coerce.number().int().min(0).max(5).default(0),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url().optional(),
};

/** Where events go: `kafka://host:port[,...]`, or `http(s)://...` of a router that takes them at `<url>/<topic>`. */
export const eventPublisherUrl = z
  .string()
  .regex(/^(kafka|https?):\/\/./, 'must be a kafka://, http:// or https:// URL');

export const databaseUrl = z.string().startsWith('postgres', 'must be a postgres:// URL');

/** https, or http on this machine alone: what an issuer or base URL may be. No query, no fragment, no last slash. */
export const publicUrl = z.url().refine((text) => {
  const url = new URL(text);
  const local = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  return (url.protocol === 'https:' || (url.protocol === 'http:' && local)) && !/[?#]|\/$/.test(text);
}, 'must be an https:// URL (http:// for this machine only) without query, fragment or last slash');

/** Issuers that the operator vouches for, exactly as their tokens spell them, separated by commas. */
export const issuerList = z
  .string()
  .default('')
  .transform((text) => text.split(',').filter((part) => part !== ''))
  .pipe(z.array(z.url({ protocol: /^https?$/, error: 'must be issuer URLs, separated by commas' })));

export const secondsFrom = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
