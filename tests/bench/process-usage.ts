import { readFile } from 'node:fs/promises';

export type ProcessUsage = { readonly cpuMs: number; readonly residentBytes: number };

/** Linux alone counts another process for us; elsewhere undefined. One tick is 10 ms (USER_HZ is 100 on Linux). */
export async function readProcessUsage(pid: number): Promise<ProcessUsage | undefined> {
  try {
    const [stat, status] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/status`, 'utf8'),
    ]);
    // The name in parentheses may hold spaces; user and system time are fields 14 and 15 of the whole line.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const residentKiB = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
    return { cpuMs: (Number(fields[11]) + Number(fields[12])) * 10, residentBytes: residentKiB * 1024 };
  } catch {
    return undefined;
  }
}
