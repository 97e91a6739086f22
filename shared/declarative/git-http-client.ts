import type { GitHttpRequest, GitHttpResponse, HttpClient } from 'isomorphic-git';

/** Thrown into isomorphic-git, caught by our adapter: the one way to carry a reason through it. */
export class GitHttpError extends Error {
  override readonly name = 'GitHttpError';
  readonly reason: 'redirected' | 'too_large';
  constructor(reason: 'redirected' | 'too_large', message: string) {
    super(message);
    this.reason = reason;
  }
}

/**
 * The transport of isomorphic-git. Its own Node client has no limit on a response, buffers without back pressure
 * and follows redirects wherever they lead, credentials included; hence this one.
 */
export function createGitHttpClient(options: { signal: AbortSignal; responseBytesMax: number }): HttpClient {
  return {
    request: async ({
      url,
      method = 'GET',
      headers = {},
      body,
    }: GitHttpRequest): Promise<GitHttpResponse> => {
      const response = await fetch(url, {
        method,
        headers,
        body: body === undefined ? null : await toBytes(body),
        redirect: 'manual',
        signal: options.signal,
      });
      // Threat: a redirect leads a credential, or our address inside the network, somewhere else.
      if (response.status >= 300 && response.status < 400) {
        await response.body?.cancel();
        throw new GitHttpError('redirected', `the server redirects (${response.status}); give the final URL`);
      }
      return {
        url: response.url,
        method,
        statusCode: response.status,
        statusMessage: response.statusText,
        headers: Object.fromEntries(response.headers),
        body: limitBytes(response.body ?? [], options.responseBytesMax),
      };
    },
  };
}

async function toBytes(
  parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of parts) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* limitBytes(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  bytesMax: number,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax)
      throw new GitHttpError('too_large', `the response is larger than ${bytesMax} bytes`);
    yield chunk;
  }
}
