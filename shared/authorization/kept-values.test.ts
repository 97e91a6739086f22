import { describe, expect, test } from 'vitest';
import { createKeptValues, type GuestMemory } from './kept-values.ts';

/** A heap that takes each text as its own value, of so many bytes. */
function openHeap(valueBytes = 100) {
  const texts = new Map<number, string>();
  let top = 0;
  let parses = 0;
  const guest: GuestMemory = {
    exports: {
      opa_heap_ptr_get: () => top,
      opa_heap_ptr_set: (address) => {
        top = address;
      },
      opa_json_parse: (address) => {
        parses++;
        if (texts.get(address) === 'broken') return 0;
        const value = top;
        top += valueBytes;
        return value;
      },
    },
    write: (text, address) => {
      for (const at of texts.keys()) if (at >= address) texts.delete(at);
      texts.set(address, text);
      return address + text.length;
    },
  };
  return { guest, parses: () => parses };
}

describe('kept values', () => {
  test('are parsed once, one behind the other', () => {
    const { guest, parses } = openHeap();
    const kept = createKeptValues(guest, { from: 1_000 });
    const [one, other] = [{}, {}];
    const first = kept.addressOf(one, '[1]');
    const end = kept.end();
    const second = kept.addressOf(other, '[2]');
    expect(first).toBeGreaterThan(1_000);
    expect(second).toBeGreaterThanOrEqual(end);
    expect(kept.end()).toBeGreaterThanOrEqual(second + 100);
    expect(kept.addressOf(one, '[1]')).toBe(first);
    expect(parses()).toBe(2);
    expect([end % 8, kept.end() % 8]).toEqual([0, 0]);
  });

  test('are all forgotten when there is no more room, and parsed again', () => {
    const { guest, parses } = openHeap();
    const kept = createKeptValues(guest, { from: 1_000, bytesMax: 1_000 });
    const keys = Array.from({ length: 30 }, () => ({}));
    for (const key of keys) {
      kept.addressOf(key, '[1]');
      expect(kept.end()).toBeLessThan(1_000 + 1_000 + 200);
    }
    expect(parses()).toBe(30);
    const [first = {}] = keys;
    expect(kept.addressOf(first, '[1]')).toBe(kept.addressOf(first, '[1]'));
    expect(parses()).toBe(31);
  });

  test('are never what could not be parsed', () => {
    const { guest } = openHeap();
    const kept = createKeptValues(guest, { from: 1_000 });
    expect(() => kept.addressOf({}, 'broken')).toThrow();
    expect(kept.end()).toBe(1_000);
  });
});
