import type { IncomingMessage } from 'node:http';
import { type Clock, type Random, typeId } from '../kernel/index.ts';

const requestId = typeId('req');
const acceptable = /^[\x20-\x7e]{1,256}$/;

/**
 * The caller's X-Request-ID unchanged when it is up to 256 characters of printable ASCII (AuthZEN 1.0 asks for the echo), else a
 * new id: what is echoed must not be able to forge a log line.
 */
export function requestIdOf(req: IncomingMessage, deps: { clock: Clock; random: Random }): string {
  const given = req.headers['x-request-id'];
  return typeof given === 'string' && acceptable.test(given) ? given : requestId.create(deps);
}
