import { describe, expect, it } from 'vitest';
import {
  type AttributeMask,
  createAttributeMasker,
  removeAllAttributes,
  secretNames,
} from './mask-attributes.ts';

const key = Buffer.alloc(32, 1);
const mask = (masks: readonly AttributeMask[], attributes: object, ofKey: Uint8Array = key) => {
  const { text, masked } = createAttributeMasker(masks, ofKey)(attributes);
  return { kept: JSON.parse(text), masked };
};

describe('masks of attributes', () => {
  it('replace a value by a keyed hash, or by nothing, and say where', () => {
    const masks = [
      { path: 'subject.email', mode: 'hash' },
      { path: 'context.network.ip', mode: 'remove' },
    ] as const;
    const attributes = { subject: { email: 'a@b.c', level: 3 }, context: { network: { ip: '10.0.0.1' } } };
    expect(mask(masks, attributes)).toEqual({
      kept: {
        subject: { email: expect.stringMatching(/^hmac-sha256:[0-9a-f]{32}$/), level: 3 },
        context: { network: {} },
      },
      masked: ['subject.email', 'context.network.ip'],
    });
  });

  it('reach any name and any place in a list by a star, whole objects too', () => {
    const masks = [
      { path: 'resource.owners.*.name', mode: 'remove' },
      { path: 'context.*', mode: 'remove' },
    ] as const;
    const attributes = {
      resource: { owners: [{ name: 'x', id: 1 }, { name: 'y' }] },
      context: { a: { b: 1 } },
    };
    expect(mask(masks, attributes)).toEqual({
      kept: { resource: { owners: [{ id: 1 }, {}] }, context: {} },
      masked: ['resource.owners.0.name', 'resource.owners.1.name', 'context.a'],
    });
  });

  // Threat: a low-entropy value is guessed from its hash, or followed from tenant to tenant.
  it('hash equal values alike under one key and otherwise under another', () => {
    const masks = [{ path: 'subject.email', mode: 'hash' }] as const;
    const hashOf = (email: string, ofKey?: Uint8Array) =>
      mask(masks, { subject: { email } }, ofKey).kept.subject.email;
    expect(hashOf('a')).toBe(hashOf('a'));
    expect(hashOf('a')).not.toBe(hashOf('b'));
    expect(hashOf('a')).not.toBe(hashOf('a', Buffer.alloc(32, 2)));
  });

  it('take the stricter of two for one field', () => {
    const masks = [
      { path: 'subject.*', mode: 'hash' },
      { path: 'subject.email', mode: 'remove' },
    ] as const;
    expect(mask(masks, { subject: { email: 'a' } }).kept).toEqual({ subject: {} });
  });

  // Threat: a caller that forwards its own headers as context.
  it.each(
    secretNames.flatMap((name) => [
      name,
      name.toUpperCase().replace(/(.)(?=.)/, '$1-'),
      `${name[0]}_${name.slice(1)}`,
    ]),
  )('remove "%s" at any depth, whatever is configured', (name) => {
    const { kept, masked } = mask([], { context: { headers: [{ [name]: 'canary' }] } });
    expect(JSON.stringify(kept)).not.toContain('canary');
    expect(masked).toEqual([`context.headers.0.${name}`]);
  });

  it('remove what is nested beyond reading', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(40)}"canary"${'}'.repeat(40)}`);
    const { kept, masked } = mask([{ path: 'subject.a', mode: 'hash' }], { context: deep });
    expect(JSON.stringify(kept)).not.toContain('canary');
    expect(masked).toHaveLength(1);
  });

  it('leave the question itself as it was', () => {
    const attributes = { subject: { email: 'a' } };
    mask([{ path: 'subject.email', mode: 'remove' }], attributes);
    expect(attributes).toEqual({ subject: { email: 'a' } });
  });

  it('that are not known remove everything', () => {
    const { text, masked } = removeAllAttributes({ subject: { email: 'a' }, context: { b: 1 } });
    expect(text).toBe('{}');
    expect(masked).toEqual(['subject', 'context']);
  });
});
