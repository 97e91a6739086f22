// Checks a log directory with golang.org/x/mod/sumdb, the code behind Go's own checksum database, which shares
// nothing with ours: the checkpoint's signature, every tile it reads, the inclusion of one entry from the tiles
// and from a tlog-proof file, and consistency with the first half of the log.
//
// Usage: sumdb-verifier DIRECTORY VKEY INDEX PROOF-FILE
package main

import (
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Reads tlog-tiles paths: sumdb puts the tile height, 8, in front of the level.
type directory string

func (directory) Height() int                             { return 8 }
func (directory) SaveTiles(tiles []tlog.Tile, _ [][]byte) {}
func (d directory) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		data[i] = d.read("tile/" + strings.TrimPrefix(tile.Path(), "tile/8/"))
	}
	return data, nil
}

func (d directory) read(path string) []byte {
	data, err := os.ReadFile(filepath.Join(string(d), path))
	check(err)
	return data
}

// The entry at an index, from its bundle. Level 0 of the tiles has the same numbers and widths.
func (d directory) entry(size, index int64) []byte {
	tile := tlog.Tile{H: 8, L: 0, N: index / 256, W: int(min(256, size-index/256*256))}
	bundle := d.read("tile/entries/" + strings.TrimPrefix(tile.Path(), "tile/8/0/"))
	for skip := index % 256; skip > 0; skip-- {
		bundle = bundle[2+int(binary.BigEndian.Uint16(bundle)):]
	}
	return bundle[2 : 2+int(binary.BigEndian.Uint16(bundle))]
}

func main() {
	dir := directory(os.Args[1])
	index, err := strconv.ParseInt(os.Args[3], 10, 64)
	check(err)
	tree := open(dir.read("checkpoint"), os.Args[2])
	reader := tlog.TileHashReader(tree, dir)
	leaf := tlog.RecordHash(dir.entry(tree.N, index))

	proof, err := tlog.ProveRecord(tree.N, index, reader)
	check(err)
	check(tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf))
	checkFile(os.Args[4], os.Args[2], index, leaf)

	if half := tree.N / 2; half > 0 {
		root, err := tlog.TreeHash(half, reader)
		check(err)
		consistency, err := tlog.ProveTree(tree.N, half, reader)
		check(err)
		check(tlog.CheckTree(consistency, tree.N, tree.Hash, half, root))
	}
	fmt.Printf("verified entry %d of %d\n", index, tree.N)
}

func open(checkpoint []byte, vkey string) tlog.Tree {
	verifier, err := note.NewVerifier(vkey)
	check(err)
	opened, err := note.Open(checkpoint, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(opened.Text, "\n")
	if lines[0] != verifier.Name() {
		log.Fatalf("checkpoint of %q, not of %q", lines[0], verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	hash, err := tlog.ParseHash(lines[2])
	check(err)
	return tlog.Tree{N: size, Hash: hash}
}

// A tlog-proof file: header, index, hashes, empty line, checkpoint.
func checkFile(path, vkey string, index int64, leaf tlog.Hash) {
	data, err := os.ReadFile(path)
	check(err)
	head, checkpoint, _ := strings.Cut(string(data), "\n\n")
	lines := strings.Split(head, "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" || lines[1] != fmt.Sprintf("index %d", index) {
		log.Fatalf("not a proof of entry %d: %q", index, lines[:2])
	}
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		hash, err := tlog.ParseHash(line)
		check(err)
		proof = append(proof, hash)
	}
	tree := open([]byte(checkpoint), vkey)
	check(tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
