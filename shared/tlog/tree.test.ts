import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { appendLeaves, type HashTile, hashLeaf, hashNode, rootOf, tilesOfTree } from './index.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const leaf = (index: number) => hashLeaf(Buffer.from(`entry ${index}`));
const leaves = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => leaf(from + at));

/** RFC 9162 section 2.1.1, word by word. */
function naiveRoot(hashes: readonly Uint8Array[]): Uint8Array {
  const [first] = hashes;
  if (first !== undefined && hashes.length === 1) return first;
  const half = 2 ** Math.ceil(Math.log2(hashes.length) - 1);
  return hashNode(naiveRoot(hashes.slice(0, half)), naiveRoot(hashes.slice(half)));
}

/** c2sp.org/tlog-tiles, the formal definition: MTH(D[(n * 256 + i) * 256**l : (n * 256 + i + 1) * 256**l]). */
function naiveTile(hashes: readonly Uint8Array[], { level, index, width }: HashTile & { width: number }) {
  const run = 256 ** level;
  const nodes = Array.from({ length: width }, (_, at) => (index * 256 + at) * run);
  return hex(Buffer.concat(nodes.map((from) => naiveRoot(hashes.slice(from, from + run)))));
}

/** Storage as a table would be: rows by (level, index), replaced by what an append returns. */
function appendInBatches(sizes: readonly number[]) {
  const stored = new Map<string, HashTile>();
  let tree = { size: 0, tiles: [] as readonly HashTile[], root: rootOf({ size: 0, tiles: [] }) };
  for (const batch of sizes) {
    const before = tree.size;
    const grown = appendLeaves({ ...tree, leafHashes: leaves(before, before + batch) });
    for (const tile of grown.changed) stored.set(`${tile.level}/${tile.index}`, tile);
    tree = grown;
  }
  return { tree, stored };
}

describe('a tree', () => {
  // The classic eight leaves of the Certificate Transparency reference tests.
  const entries = [
    '',
    '00',
    '10',
    '2021',
    '3031',
    '40414243',
    '5051525354555657',
    '606162636465666768696a6b6c6d6e6f',
  ];
  test.each([
    [1, '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'],
    [2, 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'],
    [3, 'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77'],
    [4, 'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7'],
    [5, '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4'],
    [6, '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef'],
    [7, 'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c'],
    [8, '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328'],
  ])('over the first %i classic leaves has root %s', (size, root) => {
    const leafHashes = entries.slice(0, size).map((entry) => hashLeaf(Buffer.from(entry, 'hex')));
    expect(hex(appendLeaves({ size: 0, tiles: [], leafHashes }).root)).toBe(root);
  });

  test('has the tiles and root of the definition, however the entries were split into appends', () => {
    const batches = fc.array(fc.oneof(fc.nat({ max: 5 }), fc.nat({ max: 300 })), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(batches, (sizes) => {
        const { tree, stored } = appendInBatches(sizes);
        const hashes = leaves(0, tree.size);
        if (tree.size > 0) expect(hex(tree.root)).toBe(hex(naiveRoot(hashes)));
        const expected = [...tilesOfTree(tree.size)];
        expect([...stored.keys()].sort()).toEqual(
          expected.map((tile) => `${tile.level}/${tile.index}`).sort(),
        );
        for (const tile of expected) {
          const row = stored.get(`${tile.level}/${tile.index}`)?.hashes ?? new Uint8Array(0);
          expect(hex(row)).toBe(naiveTile(hashes, { ...tile, hashes: row }));
        }
      }),
      { numRuns: 40 },
    );
  }, 60_000);

  test('keeps its levels apart where they fill together, at 65,536 entries', () => {
    const at = (sizes: number[]) => appendInBatches(sizes);
    const once = at([65_537]);
    const split = at([65_535, 1, 1]);
    expect(hex(split.tree.root)).toBe(hex(once.tree.root));
    expect(split.stored.get('2/0')?.hashes).toEqual(once.stored.get('2/0')?.hashes);
    expect(split.tree.tiles.map(({ level, index }) => [level, index])).toEqual([
      [0, 256],
      [2, 0],
    ]);
  }, 60_000);

  test('changes no tile but those on its right edge', () => {
    const { tree } = appendInBatches([1000]);
    const grown = appendLeaves({ ...tree, leafHashes: leaves(1000, 1100) });
    expect(grown.changed.map(({ level, index, hashes }) => [level, index, hashes.byteLength / 32])).toEqual([
      [0, 3, 256],
      [0, 4, 76],
      [1, 0, 4],
    ]);
  });

  test('appending nothing changes nothing', () => {
    const { tree } = appendInBatches([300]);
    expect(appendLeaves({ ...tree, leafHashes: [] })).toEqual({ ...tree, changed: [] });
  });

  test('has a root at an older size from tiles that have grown since', () => {
    const { stored } = appendInBatches([700]);
    const older = appendInBatches([600]).tree;
    expect(hex(rootOf({ size: 600, tiles: [...stored.values()] }))).toBe(hex(older.root));
  });

  test('does not go on over lost storage', () => {
    const { tree } = appendInBatches([300]);
    const short = tree.tiles.map((tile) => ({ ...tile, hashes: tile.hashes.subarray(32) }));
    expect(() => appendLeaves({ size: 300, tiles: [], leafHashes: [leaf(300)] })).toThrow('tile 0/1 lacks');
    expect(() => rootOf({ size: 300, tiles: short })).toThrow('tile 0/1 lacks');
  });
});
