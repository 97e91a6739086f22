import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError } from './command-line.ts';

/**
 * One platform a directory: a second start would take the first one's database server for an orphan and stop it.
 * Resolves with the release; throws when a living process holds the directory. A lock left by a kill -9 is taken over.
 */
export async function lockState(directory: string): Promise<() => Promise<void>> {
  const path = join(directory, 'lock');
  for (;;) {
    const file = await open(path, 'wx').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return undefined;
      throw error;
    });
    if (file !== undefined) {
      await file.writeFile(String(process.pid));
      await file.close();
      return () => rm(path, { force: true });
    }
    const holder = Number(await readFile(path, 'utf8').catch(() => ''));
    if (isAlive(holder)) {
      throw new CommandError(
        `"${directory}" is in use by a platform that is running (process ${holder}); stop it, or give another directory with --state`,
      );
    }
    await rm(path, { force: true });
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
