import { describe, expect, test } from 'vitest';
import { canonicalJson, DeadlineError, systemRandom, typeId, withDeadline } from './index.ts';

const key = typeId('key');

describe('a TypeID', () => {
  const at = (iso: string) => ({ clock: { now: () => new Date(iso) }, random: systemRandom });

  test('sorts by the time it was made', () => {
    const ids = ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.001Z', '2031-01-01T00:00:00Z'].map((iso) =>
      key.create(at(iso)),
    );
    expect([...ids].sort()).toEqual(ids);
  });

  test('encodes the UUIDv7 of the specification example', () => {
    // TypeID specification, "valid.json": 01890a5d-ac96-774b-bcce-b302099a8057.
    const bytes = Buffer.from('01890a5dac96774bbcceb302099a8057', 'hex');
    const made = typeId('prefix').create({
      clock: { now: () => new Date(Number(bytes.readBigUInt64BE(0) >> 16n)) },
      random: { bytes: () => bytes.subarray(6) },
    });
    expect(made).toBe('prefix_01h455vb4pex5vsknk084sn02q');
  });

  test.each([
    'key_',
    'key_01h455vb4pex5vsknk084sn02',
    'key_81h455vb4pex5vsknk084sn02q',
    'org_01h455vb4pex5vsknk084sn02q',
    'key_01H455VB4PEX5VSKNK084SN02Q',
  ])('refuses %s as a key id', (text) => expect(key.is(text)).toBe(false));
});

test('random bytes are never given out twice', () => {
  const drawn = Array.from({ length: 2_000 }, () => Buffer.from(systemRandom.bytes(10)).toString('hex'));
  expect(new Set(drawn).size).toBe(drawn.length);
  expect(systemRandom.bytes(5_000)).toHaveLength(5_000);
});

describe('canonical JSON', () => {
  test('orders the members of the RFC 8785 example by UTF-16 code units', () => {
    const value = {
      '€': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '😀': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      ö: 'Latin Small Letter O With Diaeresis',
    };
    expect([...canonicalJson(value).matchAll(/:"([^"]+)"/g)].map((match) => match[1])).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
  });

  test('writes numbers as ECMAScript does', () => {
    expect(canonicalJson([333333333.3333333, 1e30, 4.5, 2e-3, 1e-27, -0])).toBe(
      '[333333333.3333333,1e+30,4.5,0.002,1e-27,0]',
    );
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, '\ud800'])(
    'refuses %s, which JSON cannot carry',
    (value) => {
      expect(() => canonicalJson({ value })).toThrow(TypeError);
    },
  );

  test('leaves out members that are undefined', () => {
    expect(canonicalJson({ b: undefined, a: null })).toBe('{"a":null}');
  });
});

test('a deadline ends the wait for work that never ends, and tells it to stop', async () => {
  let stopped = false;
  const endless = (signal: AbortSignal) =>
    new Promise<never>(() =>
      signal.addEventListener('abort', () => {
        stopped = true;
      }),
    );
  await expect(withDeadline({ what: 'the test', timeoutMs: 5 }, endless)).rejects.toThrow(DeadlineError);
  expect(stopped).toBe(true);
});
