import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { liesWithin, openAllowedNetworks, parseNetwork } from './allowed-networks.ts';
import { checkBounds } from './credential-bounds.ts';

const day = (n: number) => new Date(Date.UTC(2030, 0, n));

describe('a new credential by one that is bound to networks', () => {
  it.each<[string[] | undefined, string[] | undefined, boolean]>([
    [undefined, undefined, true],
    [['10.0.0.0/8'], undefined, true],
    [undefined, ['10.0.0.0/8'], false],
    [undefined, ['0.0.0.0/0'], false],
    [['10.0.0.0/8'], ['10.0.0.0/8'], true],
    [['10.1.2.0/24', '10.1.2.7/32'], ['10.0.0.0/8'], true],
    [['10.0.0.0/7'], ['10.0.0.0/8'], false],
    [['11.0.0.0/8'], ['10.0.0.0/8'], false],
    [['10.1.0.0/16', '192.0.2.0/24'], ['10.0.0.0/8'], false],
    [['10.1.0.0/16', '192.0.2.0/24'], ['192.0.2.0/24', '10.0.0.0/8'], true],
    [['::/0'], ['0.0.0.0/0'], false],
    [['2001:db8:1::/48'], ['2001:db8::/32'], true],
    [['2001:db9::/32'], ['2001:db8::/32'], false],
  ])('works from %j, by one that works from %j: %s', (allowedNetworks, own, isWithin) => {
    expect(checkBounds({ allowedNetworks }, { allowedNetworks: own }).ok).toBe(isWithin);
  });
});

describe('a new credential by one that ends', () => {
  it.each<[Date | undefined, Date | undefined, boolean]>([
    [day(1), undefined, true],
    [undefined, day(2), false],
    [day(1), day(2), true],
    [day(2), day(2), true],
    [day(3), day(2), false],
  ])('ends at %s, by one that ends at %s: %s', (expiresAt, own, isWithin) => {
    expect(checkBounds({ expiresAt }, { expiresAt: own }).ok).toBe(isWithin);
  });
});

describe('a network', () => {
  const ends = (width: number, { address, bits }: { address: bigint; bits: number }) => {
    const size = 1n << BigInt(width - bits);
    const first = (address / size) * size;
    return { first: toText(width, first), last: toText(width, first + size - 1n) };
  };

  function toText(width: number, address: bigint): string {
    const [step, radix, mark] = width === 32 ? [8, 10, '.'] : [16, 16, ':'];
    const groups = Array.from({ length: width / step }, (_, place) =>
      ((address >> BigInt(width - step * (place + 1))) & ((1n << BigInt(step)) - 1n)).toString(radix),
    );
    return groups.join(mark);
  }

  it.each([32, 128])('of %i bits lies within another when its first and its last address do', (width) => {
    const bits = fc.integer({ min: 0, max: width });
    const max = (1n << BigInt(width)) - 1n;
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max }), bits, bits, bits, (address, narrow, wide, flipped) => {
        const inner = ends(width, { address, bits: narrow });
        // Another bit somewhere: behind the prefix of the other it changes nothing, before it everything.
        const outer = ends(width, { address: address ^ ((1n << BigInt(width - flipped)) & max), bits: wide });
        const [network, other] = [
          parseNetwork(`${inner.first}/${narrow}`),
          parseNetwork(`${outer.first}/${wide}`),
        ];
        if (!network.ok || !other.ok) return;
        const open = openAllowedNetworks([other.value]);
        const isWithin = [inner.first, inner.last].every((end) => open?.include(end));
        expect(liesWithin(network.value, other.value)).toBe(isWithin);
      }),
    );
  });
});
