import { emptyRoot, hashNode, isSameHash } from './leaf-hash.ts';
import { isTreeSize } from './tile.ts';
import type { TreeHead } from './tree.ts';

/** RFC 9162 section 2.1.3.2. False for every malformed input; the loop ends with the proof. */
export function verifyInclusion(input: {
  readonly index: number;
  readonly leafHash: Uint8Array;
  readonly proof: readonly Uint8Array[];
  readonly tree: TreeHead;
}): boolean {
  const { index, tree, proof } = input;
  if (!isTreeSize(tree.size) || !isTreeSize(index) || index >= tree.size) return false;
  let path: Path = { node: index, last: tree.size - 1 };
  let root = input.leafHash;
  for (const sibling of proof) {
    if (path.last === 0) return false;
    root = isRightChild(path) ? hashNode(sibling, root) : hashNode(root, sibling);
    path = climb(path);
  }
  return path.last === 0 && isSameHash(root, tree.root);
}

/**
 * RFC 9162 section 2.1.4.2. False for every malformed input. An empty tree is a prefix of every tree, a tree of
 * itself, both with an empty proof.
 */
export function verifyConsistency(input: {
  readonly old: TreeHead;
  readonly tree: TreeHead;
  readonly proof: readonly Uint8Array[];
}): boolean {
  const { old, tree, proof } = input;
  if (!isTreeSize(old.size) || !isTreeSize(tree.size) || old.size > tree.size) return false;
  if (old.size === 0) return proof.length === 0 && isSameHash(old.root, emptyRoot());
  if (old.size === tree.size) return proof.length === 0 && isSameHash(old.root, tree.root);
  return proof.length > 0 && runConsistency({ old, tree, proof });
}

function runConsistency({ old, tree, proof }: Parameters<typeof verifyConsistency>[0]): boolean {
  let path: Path = { node: old.size - 1, last: tree.size - 1 };
  while (path.node % 2 === 1) path = parent(path);
  // All bits shifted out: the old size is a power of two, so its root is a node of the tree and not in the proof.
  const [first, ...rest] = path.node === 0 ? [old.root, ...proof] : proof;
  if (first === undefined) return false;
  let [oldRoot, root] = [first, first];
  for (const sibling of rest) {
    if (path.last === 0) return false;
    if (isRightChild(path)) [oldRoot, root] = [hashNode(sibling, oldRoot), hashNode(sibling, root)];
    else root = hashNode(root, sibling);
    path = climb(path);
  }
  return path.last === 0 && isSameHash(oldRoot, old.root) && isSameHash(root, tree.root);
}

/** `fn` and `sn` of the RFC: our node and the last node at the same height. */
type Path = { readonly node: number; readonly last: number };

function isRightChild({ node, last }: Path): boolean {
  return node % 2 === 1 || node === last;
}

/** A right child without a left sibling at its height (node even, and last) moves up until it has one. */
function climb(path: Path): Path {
  let at = path;
  if (isRightChild(at)) while (at.node % 2 === 0 && at.node > 0) at = parent(at);
  return parent(at);
}

function parent({ node, last }: Path): Path {
  // Division, not a shift: indexes may exceed 32 bits.
  return { node: Math.floor(node / 2), last: Math.floor(last / 2) };
}
