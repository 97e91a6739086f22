import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

const bytesMax = 65_536;

/**
 * The text of a mounted secret, without white space at its ends. Refuses a file that more readers than needed can
 * open: our own file must be closed to all others (0600); a file of root, as Kubernetes mounts a Secret
 * (group-readable through fsGroup), must be closed to the world and to the group's writing; anybody else's is refused.
 */
export async function readSecretFile(path: string): Promise<string> {
  // What is examined is what is read, through one handle: Kubernetes swaps symbolic links to swap a Secret, and so
  // could an attacker between two look-ups of the path. O_NONBLOCK: opening a pipe must not wait for its writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    const refusal = found.isFile()
      ? refusalOf(found, process.getuid?.() ?? found.uid)
      : 'is not a regular file';
    if (refusal !== undefined) throw new Error(`Secret file "${path}" ${refusal}`);
    if (found.size > bytesMax) throw new Error(`Secret file "${path}" exceeds ${bytesMax} bytes`);
    return (await file.readFile('utf8')).trim();
  } finally {
    await file.close();
  }
}

/** Why a file of this owner and mode is no place for a secret of user `ownUid`; undefined when it is one. */
export function refusalOf(file: { uid: number; mode: number }, ownUid: number): string | undefined {
  const rootUid = 0;
  if (file.uid !== ownUid && file.uid !== rootUid)
    return `belongs to user ${file.uid}, who could put another in its place`;
  const refused = file.uid === ownUid ? 0o077 : 0o027;
  if ((file.mode & refused) === 0) return undefined;
  return `has mode ${(file.mode & 0o777).toString(8)}; only its owner may read it (chmod 600)`;
}
