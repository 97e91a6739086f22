import { readFile, stat } from 'node:fs/promises';

/**
 * The text of a mounted secret, without white space at its ends. Refuses a file that more readers than needed can
 * open: our own file must be closed to all others (0600); a file of another owner, as Kubernetes mounts a Secret (root,
 * group-readable through fsGroup), must be closed to the world and to the group's writing.
 */
export async function readSecretFile(path: string): Promise<string> {
  const { mode, uid } = await stat(path);
  const refused = uid === process.getuid?.() ? 0o077 : 0o027;
  if ((mode & refused) !== 0) {
    const now = (mode & 0o777).toString(8);
    throw new Error(`Secret file "${path}" has mode ${now}; only its owner may read it (chmod 600)`);
  }
  return (await readFile(path, 'utf8')).trim();
}
