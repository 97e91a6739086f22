import { describe, expect, it } from 'vitest';
import { invariant } from '../kernel/index.ts';
import { openAllowedNetworks, parseNetwork } from './allowed-networks.ts';

const messageOf = (text: string) => {
  const parsed = parseNetwork(text);
  return parsed.ok ? undefined : parsed.failure.message;
};

describe('a network', () => {
  it.each([
    ['192.0.2.0/24', '192.0.2.0/24'],
    ['192.0.2.7', '192.0.2.7/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['::/0', '::/0'],
    ['2001:DB8:0:0::/32', '2001:db8::/32'],
    ['2001:db8::1', '2001:db8::1/128'],
    ['::ffff:0:0', '::ffff:0:0/128'],
    ['2001:db8:0:1::/64', '2001:db8:0:1::/64'],
  ])('%s has one form, %s', (text, form) => {
    if (form.startsWith('::ffff:')) expect(messageOf(text)).toContain('IPv4');
    else expect(parseNetwork(text)).toEqual({ ok: true, value: form });
  });

  it.each([
    ['', 'must be an IPv4 or IPv6 network'],
    ['example.com', 'must be an IPv4 or IPv6 network'],
    ['192.0.2.0/33', 'at most 32 bits'],
    ['::/129', 'at most 128 bits'],
    ['192.0.2.0/024', 'must be an IPv4 or IPv6 network'],
    ['192.000.2.0/24', 'must be an IPv4 or IPv6 network'],
    ['192.0.2.0/24 ', 'must be an IPv4 or IPv6 network'],
    ['fe80::1%eth0', 'must be an IPv4 or IPv6 network'],
    ['192.0.2.1/24', 'no bits beyond its prefix of 24'],
    ['2001:db8::1/64', 'no bits beyond its prefix of 64'],
    // Threat: a network that reads as one family and is checked as the other.
    ['::ffff:192.0.2.0/120', 'the IPv4 network it is'],
  ])('%j is refused', (text, message) => {
    expect(messageOf(text)).toContain(message);
  });
});

describe('allowed networks', () => {
  const networks = ['192.0.2.0/24', '2001:db8::/32'].map((text) => {
    const parsed = parseNetwork(text);
    invariant(parsed.ok, 'not a network');
    return parsed.value;
  });

  it.each([
    ['192.0.2.255', true],
    ['192.0.3.0', false],
    ['::ffff:192.0.2.9', true],
    ['::FFFF:192.0.3.9', false],
    ['2001:db8:ffff::1', true],
    ['2001:db9::1', false],
    ['fe80::1%eth0', false],
    ['', false],
    ['nonsense', false],
    [undefined, false],
  ])('of an address %s: %s', (address, isIncluded) => {
    expect(openAllowedNetworks(networks)?.include(address)).toBe(isIncluded);
  });

  it('are everywhere when there are none', () => {
    expect(openAllowedNetworks(undefined)).toBeUndefined();
  });
});
