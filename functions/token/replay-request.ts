import { IncomingMessage } from 'node:http';

/** Beside the request and not in a header of it, which the library could take for the caller's own word. */
const callerAddresses = new WeakMap<IncomingMessage, string>();

/** Where the request came from, by the configured number of trusted hops. */
export function callerAddressOf(req: IncomingMessage): string | undefined {
  return callerAddresses.get(req);
}

/** Requests whose client has authenticated. */
const provenRequests = new WeakSet<IncomingMessage>();

export function noteProven(req: IncomingMessage): void {
  provenRequests.add(req);
}

export function isProven(req: IncomingMessage): boolean {
  return provenRequests.has(req);
}

/**
 * The request as the OAuth library should see it. The host has read the body already, so it is given again as a
 * stream. Host and scheme are the issuer's: the library builds the addresses of the discovery document from them,
 * and a caller's Host or X-Forwarded-Host header must not end up there.
 */
export function replayRequest(
  req: IncomingMessage,
  input: { body: Buffer; issuer: URL; callerAddress: string },
): IncomingMessage {
  const replay = new IncomingMessage(req.socket);
  callerAddresses.set(replay, input.callerAddress);
  const { 'transfer-encoding': _chunked, 'x-forwarded-for': _claimed, ...headers } = req.headers;
  Object.assign(replay, {
    method: req.method,
    url: req.url,
    httpVersion: req.httpVersion,
    httpVersionMajor: req.httpVersionMajor,
    httpVersionMinor: req.httpVersionMinor,
    // Otherwise its end would read as a cut connection, which closes the socket.
    complete: true,
    headers: {
      ...headers,
      host: input.issuer.host,
      'x-forwarded-host': input.issuer.host,
      'x-forwarded-proto': input.issuer.protocol.slice(0, -1),
      'content-length': String(input.body.length),
    },
  });
  replay.push(input.body);
  replay.push(null);
  return replay;
}
