import type { LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { ok, type Result } from '../kernel/index.ts';
import { type RemoteJsonFailure, refuse } from './remote-json-failure.ts';

type Addresses = Result<readonly LookupAddress[], RemoteJsonFailure>;

export async function resolveAddresses(
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
export function checkAddresses(
  addresses: readonly LookupAddress[],
  isAllowed: (address: string) => boolean,
): Addresses {
  return addresses.every(({ address }) => isAllowed(address)) ? ok(addresses) : refuse('address_refused');
}

/** Answers with what was checked, so that connecting asks no resolver again. */
export function lookupOf(addresses: readonly LookupAddress[]): LookupFunction {
  return (_hostname, options, callback) => {
    const first = addresses[0];
    if (options.all === true) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family);
  };
}
