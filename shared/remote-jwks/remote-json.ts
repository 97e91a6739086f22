import type { LookupAddress } from 'node:dns';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { DeadlineError, ok, type Result, withDeadline } from '../kernel/index.ts';
import { isPublicAddress } from './public-address.ts';
import { checkAddresses, lookupOf, resolveAddresses } from './remote-address.ts';
import { type RemoteJsonFailure, refuse } from './remote-json-failure.ts';
import { parseRemoteUrl } from './remote-url.ts';
import {
  createPublicResolver,
  limitResolving,
  type ResolveName,
  resolveInternalName,
} from './resolve-name.ts';

export type RemoteJson = { readonly value: unknown; readonly maxAgeSeconds: number | undefined };
export type FetchRemoteJson = (
  url: string,
  options?: { readonly isInternal?: boolean },
) => Promise<Result<RemoteJson, RemoteJsonFailure>>;

export type RemoteJsonDeps = {
  /** In place of the resolver for names that a tenant chose. */
  readonly resolve?: ResolveName;
  readonly isAllowedAddress?: (address: string) => boolean;
  /** In place of the certificate authorities that Node trusts, PEM. */
  readonly certificateAuthority?: string;
  readonly timeoutMs?: number;
  /** Where https is served, if not on its own port; for tests. */
  readonly httpsPort?: number;
};

export const remoteJsonBytesMax = 512 * 1024;
const timeoutMsDefault = 3_000;
/** More than the fetches of issuers that may begin within one deadline. */
const namesMax = 32;
const jsonType = /^application\/(?:[a-z0-9.+-]+\+)?json$/;

/**
 * GET of a JSON document at an address that a tenant chose, guarded against request forgery (OWASP SSRF): https on
 * its own port to a name, every address of that name public, the connection made to exactly the addresses that were
 * checked (a second resolution could answer otherwise: DNS rebinding), no redirect, bounded time and size.
 * `isInternal` is for issuers that the operator lists: http, any port and private addresses are allowed to it.
 */
export function createRemoteJsonFetch(deps: RemoteJsonDeps = {}): FetchRemoteJson {
  const timeoutMs = deps.timeoutMs ?? timeoutMsDefault;
  const resolvePublicName = limitResolving(deps.resolve ?? createPublicResolver(), namesMax);
  const isAllowed = deps.isAllowedAddress ?? isPublicAddress;
  return async (text, { isInternal = false } = {}) => {
    const url = parseRemoteUrl(text, isInternal);
    if (url === undefined) return refuse('url_refused');
    try {
      return await withDeadline({ what: 'A remote document', timeoutMs }, async (signal) => {
        const resolveAll = isInternal ? resolveInternalName : resolvePublicName;
        const found = await resolveAddresses(url, (name) => resolveAll(name, signal));
        const addresses = isInternal || !found.ok ? found : checkAddresses(found.value, isAllowed);
        return addresses.ok ? await get({ deps, url, addresses: addresses.value, signal }) : addresses;
      });
    } catch (error) {
      return refuse(error instanceof DeadlineError ? 'timeout' : 'unreachable');
    }
  };
}

type Get = {
  readonly deps: RemoteJsonDeps;
  readonly url: URL;
  readonly addresses: readonly LookupAddress[];
  readonly signal: AbortSignal;
};

async function get(input: Get): Promise<Result<RemoteJson, RemoteJsonFailure>> {
  const res = await connect(input);
  try {
    const status = res.statusCode ?? 0;
    if (status >= 300 && status < 400) return refuse('redirect');
    if (status !== 200) return refuse('status');
    const type = (res.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
    // Compressed, 512 KiB could become gigabytes; it was not asked for.
    if (!jsonType.test(type) || res.headers['content-encoding'] !== undefined) return refuse('not_json');
    const body = await readBody(res);
    if (body === undefined) return refuse('too_large');
    const value = parseJson(body);
    return value === undefined ? refuse('not_json') : ok({ value, maxAgeSeconds: maxAgeOf(res) });
  } finally {
    res.destroy();
  }
}

function connect({ deps, url, addresses, signal }: Get): Promise<IncomingMessage> {
  const { certificateAuthority: ca, httpsPort: port } = deps;
  const tls = { ...(ca === undefined ? {} : { ca }), ...(port === undefined ? {} : { port }) };
  const options = {
    // A connection of its own: a pooled one could have been opened to an address that was checked for another name.
    agent: false,
    lookup: lookupOf(addresses),
    signal,
    headers: { accept: 'application/json', 'accept-encoding': 'identity', 'user-agent': 'user-org-service' },
  };
  return new Promise((settle, reject) => {
    const req =
      url.protocol === 'https:' ? httpsRequest(url, { ...options, ...tls }) : httpRequest(url, options);
    req.once('response', settle).on('error', reject).end();
  });
}

async function readBody(res: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of res) {
    length += chunk.length;
    if (length > remoteJsonBytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

function maxAgeOf(res: IncomingMessage): number | undefined {
  const found = /(?:^|[\s,])max-age=(\d{1,9})/i.exec(res.headers['cache-control'] ?? '');
  return found?.[1] === undefined ? undefined : Number(found[1]);
}
