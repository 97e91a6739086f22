import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  appendLeaves,
  type HashTile,
  hashLeaf,
  proveInclusion,
  type TileReader,
  type TreeHead,
  verifyInclusion,
} from './index.ts';

const sizeMax = 70_000;
const leafHashes = Array.from({ length: sizeMax }, (_, index) => hashLeaf(Buffer.from(`${index}`)));
const stored = new Map<string, HashTile>();
for (const tile of appendLeaves({ size: 0, tiles: [], leafHashes }).changed) {
  stored.set(`${tile.level}/${tile.index}`, tile);
}

const read: TileReader = ({ level, index }) => stored.get(`${level}/${index}`)?.hashes ?? new Uint8Array(0);
const leaf = (index: number) => leafHashes[index] ?? new Uint8Array(0);
const heads = new Map<number, TreeHead>();
function headOf(size: number): TreeHead {
  const head = heads.get(size) ?? appendLeaves({ size: 0, tiles: [], leafHashes: leafHashes.slice(0, size) });
  heads.set(size, head);
  return head;
}

const size = fc.oneof(fc.integer({ min: 1, max: 600 }), fc.constantFrom(256, 257, 65_536, 65_537, sizeMax));
const sizeAndSmaller = size.chain((value) => fc.tuple(fc.constant(value), fc.nat({ max: value - 1 })));

describe('an inclusion proof', () => {
  test('holds for every entry of every tree', async () => {
    await fc.assert(
      fc.asyncProperty(sizeAndSmaller, async ([treeSize, index]) => {
        const proof = await proveInclusion({ index, size: treeSize, read });
        expect(proof.length).toBeLessThanOrEqual(Math.ceil(Math.log2(treeSize)));
        expect(verifyInclusion({ index, leafHash: leaf(index), proof, tree: headOf(treeSize) })).toBe(true);
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  test('holds for no other entry, index, size, root or path', async () => {
    const tree = headOf(600);
    const proof = await proveInclusion({ index: 300, size: 600, read });
    const good = { index: 300, leafHash: leaf(300), proof, tree };
    const wrong = [
      { ...good, leafHash: leaf(301) },
      { ...good, index: 301 },
      { ...good, index: 600 },
      { ...good, index: -1 },
      { ...good, index: 0.5 },
      { ...good, tree: { ...tree, size: 1200 } },
      { ...good, tree: headOf(599) },
      { ...good, proof: proof.slice(1) },
      { ...good, proof: proof.slice(0, -1) },
      { ...good, proof: [...proof, leaf(1)] },
      { ...good, proof: proof.toReversed() },
    ];
    expect(verifyInclusion(good)).toBe(true);
    expect(wrong.map(verifyInclusion)).toEqual(wrong.map(() => false));
  });

  test('in a billion entries reads two tiles per level, each once', async () => {
    const asked: string[] = [];
    const full: TileReader = (tile) => {
      asked.push(`${tile.level}/${tile.index}`);
      return Buffer.alloc(8192);
    };
    await proveInclusion({ index: 123_456_789, size: 1_000_000_000, read: full });
    expect(new Set(asked).size).toBe(asked.length);
    expect(asked.length).toBeLessThanOrEqual(8);
  });

  test('does not go on over lost storage', async () => {
    const short: TileReader = () => new Uint8Array(32);
    await expect(proveInclusion({ index: 3, size: 10, read: short })).rejects.toThrow('shorter than the log');
    await expect(proveInclusion({ index: 10, size: 10, read })).rejects.toThrow('no entry 10');
  });
});

test('verifying ends and answers false for arbitrary proofs', () => {
  const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const arbitrary = fc.record({
    size: fc.maxSafeNat(),
    index: fc.maxSafeNat(),
    root: hash,
    proof: fc.array(hash),
  });
  fc.assert(
    fc.property(arbitrary, ({ size: treeSize, index, root, proof }) => {
      const tree = { size: treeSize, root };
      expect(verifyInclusion({ index, leafHash: leaf(0), proof, tree })).toBe(false);
    }),
  );
});
