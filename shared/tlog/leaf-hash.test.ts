import { describe, expect, test } from 'vitest';
import { emptyRoot, hashLeaf, hashNode } from './index.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('tree hashes', () => {
  test('the empty tree has the hash of nothing', () => {
    expect(hex(emptyRoot())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });

  test('an empty entry is hashed behind its prefix', () => {
    expect(hex(hashLeaf(new Uint8Array(0)))).toBe(
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    );
  });

  // Threat: second preimage, an entry made of two hashes that passes for the node over them.
  test('an entry cannot pass for an inner node', () => {
    const [left, right] = [hashLeaf(Buffer.from('a')), hashLeaf(Buffer.from('b'))];
    expect(hex(hashLeaf(Buffer.concat([left, right])))).not.toBe(hex(hashNode(left, right)));
  });
});
