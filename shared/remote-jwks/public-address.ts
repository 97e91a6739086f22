import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** IPv4 that is not the public internet: the special-purpose registry of IANA (RFC 6890) and multicast. */
const specialV4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

/**
 * Of IPv6 only global unicast (2000::/3) is public at all, which leaves out loopback, link-local, unique local,
 * multicast, IPv4-mapped and NAT64 addresses without naming them; these parts of it are not: IETF protocols with
 * Teredo, documentation, 6to4, which carries an IPv4 address of anybody's choice, and documentation again.
 */
const globalV6 = ['2000::', 3] as const;
const specialV6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const special = new BlockList();
for (const [net, prefix] of specialV4) special.addSubnet(net, prefix, 'ipv4');
for (const [net, prefix] of specialV6) special.addSubnet(net, prefix, 'ipv6');
const global = new BlockList();
global.addSubnet(...globalV6, 'ipv6');

/** Whether an address is one of the public internet. What is not an address, or has a zone, is not. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !special.check(address, 'ipv4');
  if (!isIPv6(address) || address.includes('%')) return false;
  return global.check(address, 'ipv6') && !special.check(address, 'ipv6');
}
