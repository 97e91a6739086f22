import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatTilePath, parseTilePath, rightEdgeTiles, tilesOfTree } from './index.ts';

describe('a tile path', () => {
  test.each([
    ['tile/0/x001/x234/067', { level: 0, index: 1234067, width: 256 }],
    ['tile/63/000.p/1', { level: 63, index: 0, width: 1 }],
    ['tile/entries/x273/000.p/112', { level: 'entries' as const, index: 273000, width: 112 }],
    ['tile/2/999', { level: 2, index: 999, width: 256 }],
    ['tile/1/x001/000.p/255', { level: 1, index: 1000, width: 255 }],
  ])('%s is the form the specification gives', (path, tile) => {
    expect(formatTilePath(tile)).toBe(path);
    expect(parseTilePath(path)).toEqual({ ok: true, value: tile });
  });

  test('reads back what was written, for every index that a number can hold', () => {
    const tile = fc.record({
      level: fc.oneof(fc.constant('entries' as const), fc.integer({ min: 0, max: 63 })),
      index: fc.maxSafeNat(),
      width: fc.integer({ min: 1, max: 256 }),
    });
    fc.assert(
      fc.property(tile, (value) => {
        expect(parseTilePath(formatTilePath(value))).toEqual({ ok: true, value });
      }),
    );
  });

  // Threat: two paths for one tile defeat caches and access rules; a path must not climb out of the log.
  test.each([
    'tile/00/000',
    'tile/64/000',
    'tile/-1/000',
    'tile/0/0',
    'tile/0/x000/001',
    'tile/0/001/002',
    'tile/0/x001',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/01',
    'tile/0/x999/x999/x999/x999/x999/999',
    'tile/0/../000',
    'tile/0/000/',
    'tile/0/000\n',
    '/tile/0/000',
    'checkpoint',
    '',
  ])('refuses the spelling %j', (path) => expect(parseTilePath(path)).toMatchObject({ ok: false }));
});

describe('the tiles of a tree', () => {
  test('70,000 entries are the tiles that the specification lists', () => {
    const tiles = [...tilesOfTree(70_000)];
    const partial = tiles.filter((tile) => tile.width < 256);
    expect(tiles.filter((tile) => tile.level === 0 && tile.width === 256)).toHaveLength(273);
    expect(partial).toEqual([
      { level: 0, index: 273, width: 112 },
      { level: 1, index: 1, width: 17 },
      { level: 2, index: 0, width: 1 },
    ]);
    expect(rightEdgeTiles(70_000)).toEqual(partial);
  });

  test('256 entries are one full tile and its hash above', () => {
    expect([...tilesOfTree(256)]).toEqual([
      { level: 0, index: 0, width: 256 },
      { level: 1, index: 0, width: 1 },
    ]);
  });

  test('an empty tree has none', () => expect([...tilesOfTree(0), ...rightEdgeTiles(0)]).toEqual([]));
});
