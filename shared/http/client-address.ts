import type { IncomingMessage } from 'node:http';

/**
 * The caller's address, taken from the configured number of trusted proxies and no further: with n hops it is the
 * nth entry of X-Forwarded-For from the right, since anything left of that was sent by the caller (CWE-348).
 * With 0 hops the header is ignored.
 */
export function clientAddressOf(req: IncomingMessage, trustedHops: number): string {
  const peer = req.socket.remoteAddress ?? '';
  if (trustedHops === 0) return peer;
  const header = req.headers['x-forwarded-for'];
  const entries = (Array.isArray(header) ? header.join(',') : (header ?? ''))
    .split(',')
    .map((entry) => entry.trim());
  return entries.filter((entry) => entry !== '').at(-trustedHops) ?? peer;
}
