import type { LookupAddress } from 'node:dns';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { DeadlineError, type Fail, fail, ok, type Result, withDeadline } from '../kernel/index.ts';
import { isPublicAddress } from './public-address.ts';
import {
  createPublicResolver,
  limitResolving,
  type ResolveName,
  resolveInternalName,
} from './resolve-name.ts';

/**
 * Whoever asked us to fetch does not learn whether a name that is not public stands for anything inside
 * (`unresolved`, `address_refused`), or it could scan our networks through us.
 */
export type RemoteJsonFailure = {
  readonly code: 'remote_json.unavailable';
  readonly reason:
    | 'url_refused'
    | 'too_many_names'
    | 'unresolved'
    | 'address_refused'
    | 'unreachable'
    | 'timeout'
    | 'redirect'
    | 'status'
    | 'too_large'
    | 'not_json';
};

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
  return async (text, { isInternal = false } = {}) => {
    const url = parseUrl(text, isInternal);
    if (url === undefined) return refuse('url_refused');
    try {
      return await withDeadline({ what: 'A remote document', timeoutMs }, async (signal) => {
        const resolveAll = isInternal ? resolveInternalName : resolvePublicName;
        const found = await resolve(url, (name) => resolveAll(name, signal));
        const addresses = isInternal || !found.ok ? found : checkAddresses(deps, found.value);
        return addresses.ok ? await get({ deps, url, addresses: addresses.value, signal }) : addresses;
      });
    } catch (error) {
      return refuse(error instanceof DeadlineError ? 'timeout' : 'unreachable');
    }
  };
}

/** Whether anything would ever be fetched from there, whoever it is that answers. */
export function isPublicUrl(text: string): boolean {
  return parseUrl(text, false) !== undefined;
}

function parseUrl(text: string, isInternal: boolean): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.username !== '' || url.password !== '') return undefined;
  if (isInternal) return /^https?:$/.test(url.protocol) ? url : undefined;
  // An address in place of a name is never a public issuer, and the WHATWG parser has made one of 0x7f.1 by now.
  const isName = isIP(url.hostname.replace(/^\[|\]$/g, '')) === 0;
  return url.protocol === 'https:' && url.port === '' && isName ? url : undefined;
}

type Addresses = Result<readonly LookupAddress[], RemoteJsonFailure>;

async function resolve(
  url: URL,
  resolveAll: (hostname: string) => Promise<readonly LookupAddress[] | 'busy'>,
): Promise<Addresses> {
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const family = isIP(hostname);
  if (family !== 0) return ok([{ address: hostname, family }]);
  const addresses = await resolveAll(hostname);
  if (addresses === 'busy') return refuse('too_many_names');
  return addresses.length === 0 ? refuse('unresolved') : ok(addresses);
}

/** One private address among public ones is somebody's attempt, not a public service. */
function checkAddresses(deps: RemoteJsonDeps, addresses: readonly LookupAddress[]): Addresses {
  const isAllowed = deps.isAllowedAddress ?? isPublicAddress;
  return addresses.every(({ address }) => isAllowed(address)) ? ok(addresses) : refuse('address_refused');
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

/** Answers with what was checked, so that connecting asks no resolver again. */
function lookupOf(addresses: readonly LookupAddress[]): LookupFunction {
  return (_hostname, options, callback) => {
    const first = addresses[0];
    if (options.all === true) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family);
  };
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

function refuse(reason: RemoteJsonFailure['reason']): Fail<RemoteJsonFailure> {
  return fail({ code: 'remote_json.unavailable', reason });
}
