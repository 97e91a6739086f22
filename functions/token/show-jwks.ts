import { createHash } from 'node:crypto';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Clock } from '../../shared/kernel/index.ts';
import { type SigningKeySet, verifyingKeys } from '../../shared/signing-key/index.ts';

export type ShowJwksDeps = {
  readonly keys: SigningKeySet;
  readonly clock: Clock;
  readonly jwksMaxAgeSeconds: number;
};

/**
 * Answers with the key set, RFC 7517 section 5: the keys that sign, those whose tokens still live, and the next ones
 * before their first use. False while there is none, since an empty set would be cached as the truth.
 *
 * `max-age` is below the lead between a key's publication and its first use, so no cache misses a key that signs.
 * `must-revalidate`: a cache that cannot reach us must not go on serving a key that may have been revoked; while we
 * are away no new token is made, so what that costs is the rest of the living ones. A cache filled just before an emergency revocation still
 * shows the revoked key for `max-age`; our own verifiers do not read this address and drop it within a second.
 */
export async function showJwks(
  deps: ShowJwksDeps,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<boolean> {
  const body = await render(deps);
  if (body === undefined) return false;
  const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
  const headers: OutgoingHttpHeaders = {
    'cache-control': `public, max-age=${deps.jwksMaxAgeSeconds}, must-revalidate`,
    etag,
  };
  if (isKnown(req.headers['if-none-match'], etag)) {
    res.writeHead(304, headers).end();
    return true;
  }
  res.writeHead(200, { ...headers, 'content-type': 'application/jwk-set+json' }).end(body);
  return true;
}

/** The public members alone: the set never held a private part, and the store parsed each key member by member. */
async function render({ keys, clock }: ShowJwksDeps): Promise<string | undefined> {
  const shown = verifyingKeys(await keys.current(), clock.now());
  if (shown.length === 0) return undefined;
  return JSON.stringify({
    keys: shown.map(({ keyId, algorithm, publicJwk }) => ({
      ...publicJwk,
      kid: keyId,
      alg: algorithm,
      use: 'sig',
    })),
  });
}

/** RFC 9110 section 13.1.2: any of a list, compared weakly, or `*`. */
function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  const tags = (ifNoneMatch ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(etag) || tags.includes('*');
}
