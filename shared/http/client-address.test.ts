import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { networkOf } from './client-address.ts';

// Threat: one host counted as many, by spelling its address in many ways (CVE-2026-45364) or by using all of its /64.
describe.each([
  [
    '203.0.113.7',
    ['203.0.113.7', ' 203.0.113.7 ', '203.0.113.7:51234', '::ffff:203.0.113.7', '::FFFF:cb00:7107'],
  ],
  ['203.0.113.7', ['0:0:0:0:0:ffff:203.0.113.7', '[::ffff:203.0.113.7]:443', '::ffff:203.0.113.7%eth0']],
  [
    '2001:db8:0:1::/64',
    ['2001:db8:0:1::', '2001:DB8:0:1::1', '2001:0db8:0000:0001:ffff:ffff:ffff:ffff', '[2001:db8:0:1::9]:443'],
  ],
  ['fe80:0:0:0::/64', ['fe80::1', 'fe80::1%eth0', 'fe80::dead:beef%3', '[fe80::1%25eth0]']],
  ['0:0:0:0::/64', ['::', '::1', '0:0:0:0:0:0:0:1', '::203.0.113.7']],
  ['64:ff9b:0:0::/64', ['64:ff9b::cb00:7107']],
])('%s is', (network, spellings) => {
  test.each(spellings)('%s', (spelling) => expect(networkOf(spelling)).toBe(network));
});

test.each([
  '',
  'unknown',
  '_hidden',
  '010.0.0.1',
  '1.2.3',
  '1.2.3.4.5',
  '1::2::3',
  'fe80::/10',
  '::ffff:1.2.3.999',
])('%j, which is no address, counts together with all that are none', (text) =>
  expect(networkOf(text)).toBe('unknown'),
);

test('neighbours in another /64 count apart', () => {
  expect(networkOf('2001:db8:0:1::1')).not.toBe(networkOf('2001:db8:0:2::1'));
});

test('takes any text without a fault, and gives a short one', () => {
  const address = fc.oneof(
    fc.string(),
    fc.ipV4(),
    fc.ipV6(),
    fc.ipV6().map((text) => `[${text}]:80`),
  );
  fc.assert(fc.property(address, (text) => networkOf(text).length <= 24));
});

test('an address of IPv6 and the first of its network are one', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 0xffff }), { minLength: 8, maxLength: 8 }), (numbers) => {
      const groups = numbers.map((number) => number.toString(16));
      expect(networkOf(groups.join(':'))).toBe(networkOf(`${groups.slice(0, 4).join(':')}::`));
    }),
  );
});
