import { createHash } from 'node:crypto';
import { fail, invariant, ok, type Result, withDeadline } from '../kernel/index.ts';
import { bundleLimits, type PolicyBundleRefusal } from './policy-bundle-files.ts';
import type { PolicyBundleFetch, PolicyBundleSource } from './policy-bundle-source.ts';

const redirectsMax = 3;
const redirectStatuses = new Set([301, 302, 303, 307, 308]);
const loopback = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * An archive at an address. `https`, or `http` on this machine alone; redirects stay on the origin that was
 * configured, since whoever answers is who decides. Conditional requests (RFC 9110 section 13.1.2) where the server
 * gives entity tags; else the digest tells whether anything changed.
 */
export function createHttpBundleSource(
  address: string,
  options: { readonly timeoutMs?: number } = {},
): PolicyBundleSource {
  const url = new URL(address);
  const isAllowed = url.protocol === 'https:' || (url.protocol === 'http:' && loopback.has(url.hostname));
  invariant(isAllowed, 'a policy bundle comes by https, or by http from this machine');
  invariant(url.username === '' && url.password === '', 'a policy bundle URL holds no credentials');
  const location = `${url.origin}${url.pathname}`;
  const timeoutMs = options.timeoutMs ?? 15_000;
  return {
    location,
    fetch: async (previousTag) => {
      try {
        return await withDeadline({ what: `GET ${location}`, timeoutMs }, (signal) =>
          fetchOnce(url, previousTag, signal),
        );
      } catch (error) {
        return unreachable(`${location}: ${reasonOf(error)}`);
      }
    },
  };
}

type Fetched = Result<PolicyBundleFetch, PolicyBundleRefusal>;

async function fetchOnce(url: URL, previousTag: string | undefined, signal: AbortSignal): Promise<Fetched> {
  const response = await getWithinOrigin(url, previousTag, signal);
  if (response === undefined) return unreachable(`${url.origin}${url.pathname} redirects elsewhere`);
  if (response.status === 304 && previousTag !== undefined) return ok({ status: 'unchanged' });
  if (response.status !== 200) {
    await response.body?.cancel();
    return unreachable(`${url.origin}${url.pathname} answered ${response.status}`);
  }
  const bytes = await readAtMost(response, bundleLimits.archiveBytesMax);
  if (bytes === undefined) {
    const detail = `${url.origin}${url.pathname} has more than ${bundleLimits.archiveBytesMax} bytes`;
    return fail({ code: 'policy_bundle.too_large', detail });
  }
  const tag = response.headers.get('etag') ?? digestTag(bytes);
  if (tag === previousTag) return ok({ status: 'unchanged' });
  return ok({ status: 'fetched', tag, content: { form: 'archive', bytes } });
}

/** Undefined when a redirect leads to another origin, or there is no end of them. */
async function getWithinOrigin(
  url: URL,
  previousTag: string | undefined,
  signal: AbortSignal,
): Promise<Response | undefined> {
  const headers = {
    accept: 'application/gzip',
    // An archive labelled with Content-Encoding: gzip would be unpacked on its way to us.
    'accept-encoding': 'identity',
    ...(previousTag === undefined || isDigestTag(previousTag) ? {} : { 'if-none-match': previousTag }),
  };
  let at = url;
  for (let hop = 0; hop <= redirectsMax; hop++) {
    const response = await fetch(at, { headers, signal, redirect: 'manual' });
    const target = response.headers.get('location');
    if (!redirectStatuses.has(response.status) || target === null) return response;
    await response.body?.cancel();
    at = new URL(target, at);
    if (at.origin !== url.origin) return undefined;
  }
  return undefined;
}

async function readAtMost(response: Response, bytesMax: number): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop early cancels the body.
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    if (length > bytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** An entity tag is in quotation marks, so that it never looks like one of these. */
function digestTag(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function isDigestTag(tag: string): boolean {
  return tag.startsWith('sha256:');
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message || cause.name : String(cause);
}

function unreachable(detail: string) {
  return fail({ code: 'policy_bundle.unreachable', detail } as const);
}
