import { expect, test } from 'vitest';
import { appendLeaves, hashLeaf, verifyInclusion } from '../tlog/index.ts';
import { createInclusionProver } from './inclusion-prover.ts';

test.each([1, 2, 3, 5, 7, 8, 9, 255, 256, 257, 700])('every entry of a log of %i is proven', (size) => {
  const leafHashes = Array.from({ length: size }, (_, index) => hashLeaf(Buffer.from(`${index}`)));
  const tree = appendLeaves({ size: 0, tiles: [], leafHashes });
  const prove = createInclusionProver(leafHashes);
  for (const [index, leafHash] of leafHashes.entries()) {
    expect(verifyInclusion({ index, leafHash, proof: prove(index), tree })).toBe(true);
  }
});

test('has no proof of an entry that is not there', () => {
  const prove = createInclusionProver([hashLeaf(Buffer.from('only'))]);
  expect(prove(0)).toEqual([]);
  expect(() => prove(1)).toThrow('no entry 1 of 1');
});
