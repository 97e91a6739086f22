import { hashNode, isSameHash } from './leaf-hash.ts';
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
