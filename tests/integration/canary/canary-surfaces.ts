import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { CanaryScene, Piece } from './canary-scene.ts';

/** A place that a secret must not reach. `keepsDeadRows`: personal data is not looked for there. */
export type Surface = {
  readonly name: string;
  readonly keepsDeadRows?: boolean;
  read(scene: CanaryScene): Promise<Piece[]> | Piece[];
  /** Puts bytes there as the functions would, so that it is seen to be searched. */
  plant(scene: CanaryScene, bytes: Buffer): Promise<unknown> | unknown;
};

/**
 * Left out on purpose: the environment of the processes and the files of mounted secrets, which is where they get them
 * from; the customer's repository and our cache of it, which hold what its people pushed.
 */
export const surfaces: readonly Surface[] = [
  {
    name: 'every row of every table of the database',
    read: readDatabase,
    plant: ({ database }, bytes) =>
      database.query(`insert into outbox (org_id, topic, event_id, payload, created_at)
        select org_id, 'planted', 'planted', encode(decode('${bytes.toString('hex')}', 'hex'), 'base64'), now()
          from organization limit 1`),
  },
  {
    name: 'the files of the database server, dead rows and its log of changes included',
    keepsDeadRows: true,
    read: async ({ platform, database }) => {
      await database.query('checkpoint');
      return readFiles(join(platform.postgres.directory, 'cluster'));
    },
    plant: async ({ database }, bytes) => {
      await database.query(`create table planted as select '${bytes.toString('latin1')}'::text as value`);
      await database.query('drop table planted');
    },
  },
  {
    name: 'what the functions print, at debug level',
    read: ({ lines }) => [{ where: 'output', bytes: Buffer.from(lines.join('\n')) }],
    plant: ({ lines }, bytes) => lines.push(JSON.stringify({ planted: bytes })),
  },
  {
    name: 'published events',
    read: ({ platform }) => readFiles(platform.state.topics),
    plant: (scene, bytes) => writePlanted(scene.platform.state.topics, bytes.toString('base64url')),
  },
  {
    name: 'the object store: the audit log, exports and decision segments',
    read: ({ platform }) => readFiles(platform.state.objects),
    plant: (scene, bytes) => writePlanted(scene.platform.state.objects, gzipSync(bytes.toString('hex'))),
  },
  {
    name: 'headers of all answers, and bodies of those that show no secret',
    read: ({ answers }) => answers,
    plant: ({ answers }, bytes) => answers.push({ where: 'planted', bytes }),
  },
  {
    name: 'command lines of the processes',
    read: async ({ commandLines }) => [...commandLines, ...(await readCommandLines())],
    plant: async (scene, bytes) => {
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', bytes.toString('latin1')]);
      scene.onClose(() => child.kill());
      await once(child, 'spawn');
    },
  },
  {
    name: 'telemetry',
    read: ({ telemetry }) => telemetry.requests.map(({ path, body }) => ({ where: path, bytes: body })),
    plant: ({ telemetry }, bytes) =>
      fetch(`${telemetry.url}/planted`, { method: 'POST', body: new Uint8Array(bytes) }),
  },
];

async function readDatabase({ database }: CanaryScene): Promise<Piece[]> {
  const { rows } = await database.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p', 'm') or c.relname in ('pg_stat_activity', 'pg_settings')`,
  );
  const pieces: Piece[] = [];
  for (const { name } of rows) {
    const found = await database.query({ text: `select * from ${name}`, rowMode: 'array' });
    const cells = found.rows.flatMap((row: (string | Buffer | null)[]) => row.map((cell) => cell ?? ''));
    const bytes = cells.flatMap((cell) => [Buffer.from(cell), Buffer.from('\n')]);
    pieces.push({ where: name, bytes: Buffer.concat(bytes) });
  }
  return pieces;
}

async function readFiles(directory: string): Promise<Piece[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const pieces: Piece[] = [];
  for (const where of files) {
    // A file that is gone by now holds nothing.
    const bytes = await readFile(where).catch(() => Buffer.alloc(0));
    pieces.push({ where, bytes });
    if (bytes[0] === 0x1f && bytes[1] === 0x8b)
      pieces.push({ where: `${where}, unpacked`, bytes: gunzipSync(bytes) });
  }
  return pieces;
}

function writePlanted(directory: string, bytes: string | Buffer): Promise<void> {
  return writeFile(join(directory, 'planted'), bytes);
}

/** Of all processes that can be seen, ours and those that they started among them. */
export async function readCommandLines(): Promise<Piece[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = ids.map(async (id) => ({
    where: `process ${id}`,
    bytes: await readFile(`/proc/${id}/cmdline`).catch(() => Buffer.alloc(0)),
  }));
  return Promise.all(lines);
}
