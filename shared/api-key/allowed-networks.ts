import { BlockList, isIP, isIPv4 } from 'node:net';
import { type Brand, fail, ok, type Result } from '../kernel/index.ts';

/** Networks that a key may be used from; undefined: from anywhere. */
export type AllowedNetworks = { include(address: string | undefined): boolean } | undefined;

export function openAllowedNetworks(networks: readonly string[] | undefined): AllowedNetworks {
  if (networks === undefined) return undefined;
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    list.addSubnet(address, Number(bits), familyOf(address));
  }
  return {
    include: (address) => {
      const plain = withoutMapping(address ?? '');
      return isIP(plain) !== 0 && list.check(plain, familyOf(plain));
    },
  };
}

/** CIDR in its one form. */
export type Network = Brand<string, 'Network'>;

export type NetworkFailure = { readonly code: 'network.malformed'; readonly message: string };

/**
 * A network in its one form: `192.0.2.0/24`, or `2001:db8::/32` as RFC 5952 writes it; a single address becomes a
 * network of one. Bits beyond the prefix are refused, not cut off: whoever wrote them meant something narrower.
 */
export function parseNetwork(text: string): Result<Network, NetworkFailure> {
  const match = /^([0-9a-fA-F:.]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text);
  const address = canonicalAddress(match?.[1] ?? '');
  if (address === undefined) return malformed('must be an IPv4 or IPv6 network, as in 192.0.2.0/24');
  const bitsMax = isIPv4(address) ? 32 : 128;
  const bits = Number(match?.[2] ?? bitsMax);
  if (bits > bitsMax) return malformed(`must have a prefix of at most ${bitsMax} bits`);
  // An IPv4 address is checked as such, wherever it comes from; a network of the mapped ones would never be met.
  if (address.startsWith('::ffff:')) return malformed('must be written as the IPv4 network it is');
  if (hasBitsBeyond(address, bits)) return malformed(`must have no bits beyond its prefix of ${bits}`);
  return ok(`${address}/${bits}` as Network);
}

/** Whether all addresses of one network are the other's too. Both in their one form. */
export function liesWithin(network: string, other: string): boolean {
  const [address = '', bits] = network.split('/');
  const [around = '', prefix] = other.split('/');
  if (familyOf(address) !== familyOf(around) || Number(bits) < Number(prefix)) return false;
  return toBits(address).startsWith(toBits(around).slice(0, Number(prefix)));
}

/** Servers that listen on both families show an IPv4 peer as `::ffff:192.0.2.1` (RFC 4291 section 2.5.5.2). */
function withoutMapping(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  return mapped?.[1] ?? address;
}

function canonicalAddress(text: string): string | undefined {
  if (isIP(text) === 0) return undefined;
  return isIPv4(text) ? text : new URL(`http://[${text}]`).hostname.slice(1, -1);
}

function hasBitsBeyond(address: string, bits: number): boolean {
  return toBits(address).slice(bits).includes('1');
}

function toBits(address: string): string {
  if (isIPv4(address)) return address.split('.').map(toBinary(8, 10)).join('');
  const [head = '', tail] = address.split('::');
  const left = head.split(':').filter((group) => group !== '');
  const right = (tail ?? '').split(':').filter((group) => group !== '');
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return [...left, ...zeros, ...right].map(toBinary(16, 16)).join('');
}

function toBinary(width: number, radix: number) {
  return (group: string) => Number.parseInt(group, radix).toString(2).padStart(width, '0');
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv4(address) ? 'ipv4' : 'ipv6';
}

function malformed(message: string): Result<never, NetworkFailure> {
  return fail({ code: 'network.malformed', message });
}
