import type { IncomingMessage } from 'node:http';
import { isIPv4, isIPv6 } from 'node:net';

/**
 * The caller's address, taken from the configured number of trusted proxies and no further: with n hops it is the
 * nth entry of X-Forwarded-For from the right, since anything left of that was sent by the caller (CWE-348).
 * With 0 hops the header is ignored.
 */
export function clientAddressOf(req: IncomingMessage, trustedHops: number): string {
  const peer = req.socket.remoteAddress ?? '';
  if (trustedHops === 0) return peer;
  const header = req.headers['x-forwarded-for'];
  const entries = (Array.isArray(header) ? header.join(',') : (header ?? ''))
    .split(',')
    .map((entry) => entry.trim());
  return entries.filter((entry) => entry !== '').at(-trustedHops) ?? peer;
}

/**
 * What limits count an address as, so that nobody has more than one: an IPv4 address as itself however it is written
 * (also mapped into IPv6, RFC 4291 section 2.5.5.2), an IPv6 address as its /64, of which a single host has all
 * (RFC 4291 section 2.5.4). A zone, a port and brackets are left out; whatever is no address counts as one and the same.
 */
export function networkOf(address: string): string {
  const bare = /^\[([^\]]*)\](?::\d+)?$/.exec(address.trim())?.[1] ?? withoutPort(address.trim());
  const [host = ''] = bare.split('%', 1);
  if (isIPv4(host)) return host;
  if (!isIPv6(host)) return 'unknown';
  const groups = groupsOf(host);
  const isMapped = groups.slice(0, 6).join(':') === '0:0:0:0:0:ffff';
  return isMapped ? toIPv4(groups.slice(6)) : `${groups.slice(0, 4).join(':')}::/64`;
}

function withoutPort(text: string): string {
  return /^([^:]+):\d+$/.exec(text)?.[1] ?? text;
}

/** The eight groups, each in its shortest form. The URL parser brings every spelling to one (RFC 5952). */
function groupsOf(host: string): string[] {
  const canonical = new URL(`http://[${host}]`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const left = head === '' ? [] : head.split(':');
  if (tail === undefined) return left;
  const right = tail === '' ? [] : tail.split(':');
  return [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
}

function toIPv4(groups: readonly string[]): string {
  const bytes = groups.flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
  return bytes.join('.');
}
