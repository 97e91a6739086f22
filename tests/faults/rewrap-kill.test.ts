import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../shared/kernel/index.ts';
import { continueDataKeyRotations } from '../../shared/rewrap/index.ts';
import { createSealedWorld, type SealedWorld } from '../support/sealed-world.ts';

const kills = 200;
const killsBetweenWrappingKeys = 16;

let world: SealedWorld;
let directory: string;
beforeAll(async () => {
  world = await createSealedWorld(systemClock, 2);
  directory = await mkdtemp(join(tmpdir(), 'uos-child-'));
  // In one file the child starts in a fraction of the time, two hundred times.
  await build({
    entryPoints: [join(import.meta.dirname, 'rewrap-child.ts')],
    outfile: join(directory, 'child.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    minify: true,
    external: ['pg-native'],
    logLevel: 'error',
    banner: { js: "import { createRequire as r } from 'node:module'; const require = r(import.meta.url);" },
  });
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
  await world.close();
});

/** mulberry32: a run can be repeated from its seed, as far as the scheduler allows. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Child = {
  readonly process: ChildProcessWithoutNullStreams;
  /** Resolves when the child next says so. */
  said(word: 'ready' | 'working' | 'turn'): Promise<void>;
};

function startChild(): Child {
  const child = spawn(process.execPath, [join(directory, 'child.mjs')], {
    env: {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      DATABASE_URL: world.database.appUrl,
      WRAPPING_KEY_FILE: world.wrappingKeyFile,
    },
  });
  child.stderr.pipe(process.stderr);
  const words = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    process: child,
    said: async (word) => {
      for (let heard = await words.next(); heard.value !== word; heard = await words.next())
        if (heard.done === true) throw new Error(`the child ended before it said "${word}"`);
    },
  };
}

async function letWork(child: Child): Promise<void> {
  await child.said('ready');
  child.process.stdin.write('go');
  await child.said('working');
}

/** kill -9: nothing of it runs on, and its lease is taken for expired. */
async function kill(child: Child): Promise<void> {
  const ended = once(child.process, 'exit');
  child.process.kill('SIGKILL');
  expect(await ended).toEqual([null, 'SIGKILL']);
  await world.sql(`update lease set expires_at = now() - interval '1 second'`);
}

/** How long a turn takes here and now, at most what 200 of them may cost. */
async function measureTurnMs(): Promise<number> {
  const child = startChild();
  await letWork(child);
  const startedAt = performance.now();
  for (let turns = 0; turns < 7; turns++) await child.said('turn');
  const turnMs = (performance.now() - startedAt) / 7;
  await kill(child);
  return Math.min(turnMs, 100);
}

test(`every secret opens after each of ${kills} kills amid re-wrapping`, { timeout: 900_000 }, async () => {
  const seed = Number(process.env['UOS_SEED'] ?? randomInt(2 ** 31));
  console.log(`seed ${seed} (UOS_SEED)`);
  const random = randomFrom(seed);
  const workMsMax = 2 * (await measureTurnMs());
  const destroyedBefore = await countEvents('destroyed');
  let next = startChild();
  try {
    for (let killed = 1; killed <= kills; killed++) {
      const child = next;
      if (killed < kills) next = startChild();
      if (killed % killsBetweenWrappingKeys === 0) await world.addWrappingKey();
      await letWork(child);
      await pause(random() * workMsMax);
      await kill(child);
      expect({ killed, unusable: await world.findUnusable() }).toEqual({ killed, unusable: [] });
    }
  } finally {
    next.process.kill('SIGKILL');
  }
  await expectWorkWasDone(destroyedBefore);
});

const countEvents = async (type: string) =>
  (await world.sql('select 1 from audit_event where type = $1', [`uos.data-key.${type}.v1`])).length;

/** A test of kills amid work that never came far would show nothing. */
async function expectWorkWasDone(destroyedBefore: number): Promise<void> {
  expect(await countEvents('destroyed')).toBeGreaterThan(destroyedBefore + 5);
  expect(await countEvents('rewrapped')).toBeGreaterThan(5);
  const deps = await world.rewrapDeps({ leadSeconds: 0, graceSeconds: 0, sliceSeconds: 60 });
  for (let runs = 0; runs < 4; runs++)
    expect(await continueDataKeyRotations(deps)).toMatchObject({ ok: true });
  // Page tokens are out of our hands for an hour, and their data key with them.
  const open = `select purpose, status from data_key_rotation where status <> 'finished'`;
  expect(await world.sql(`${open} and purpose <> 'search-page'`)).toEqual([]);
  expect(await world.findUnusable()).toEqual([]);
}
