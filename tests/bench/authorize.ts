import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnGuarded } from '../../knative/local/guarded-process.ts';
import { startPostgres } from '../../knative/local/postgres.ts';
import { migrateToLatest } from '../../migrations/index.ts';
import { openPool } from '../../shared/db/index.ts';
import { type AuthorizeProcess, startAuthorizeProcess } from '../support/authorize-process.ts';
import { openTestApiKeys } from '../support/seed-organization.ts';
import { createQuestions, seedBench } from './authorize-data.ts';
import type { BenchOptions, BenchResult } from './bench-result.ts';
import { keepHistogram, percentile } from './latency.ts';
import { type Call, type LoadOutcome, runOpenLoop } from './open-loop.ts';
import { readProcessUsage } from './process-usage.ts';

const warmUpSeconds = 15;
const baselineSeconds = 10;

/**
 * One authorize process with everything on (caller proven, facts from PostgreSQL and cache, decisions recorded)
 * beside its database and the load generator on one machine; then the bare platform under the same load.
 */
export async function benchAuthorize(options: BenchOptions): Promise<readonly BenchResult[]> {
  const { progress } = options;
  await using scene = await setScene(options);
  progress(`Warming up for ${warmUpSeconds} s`);
  await drive(scene.authorize.base, { ...options, seconds: warmUpSeconds }, scene.nextCall);
  progress(`Measuring ${options.rate} questions/s for ${options.seconds} s`);
  const before = await readProcessUsage(scene.authorize.pid);
  const outcome = await drive(scene.authorize.base, options, scene.nextCall);
  const after = await readProcessUsage(scene.authorize.pid);
  const usage = before && after && { cpuMs: after.cpuMs - before.cpuMs, residentBytes: after.residentBytes };
  progress(`Measuring a bare node:http server for ${Math.min(baselineSeconds, options.seconds)} s`);
  const baseline = await measureBaseline(options);
  const about = { rate: options.rate, seconds: options.seconds, at: new Date().toISOString() };
  progress(`Histogram: ${await keepHistogram('authorize', about, outcome.latencies)}`);
  if (outcome.firstError !== undefined) progress(`First error: ${outcome.firstError}`);
  return toResults(options.rate, outcome, usage, baseline);
}

type Scene = AsyncDisposable & { readonly authorize: AuthorizeProcess; nextCall(): Call };

async function setScene({ quick, progress }: BenchOptions): Promise<Scene> {
  const closers = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'uos-bench-'));
  closers.defer(() => rm(directory, { recursive: true, force: true }));
  progress('Starting PostgreSQL');
  const postgres = await startPostgres({
    directory: join(directory, 'postgres'),
    persistent: false,
    durable: true,
    onLog: () => {},
  });
  closers.defer(() => postgres.stop());
  await migrateToLatest(postgres.ownerUrl);
  const pool = openPool({ url: postgres.url('app'), applicationName: 'uos-bench' });
  const keys = await openTestApiKeys(pool);
  closers.defer(() => keys.dispose());
  progress('Seeding');
  const organizations = await seedBench(pool, keys, { organizations: quick ? 20 : 200, progress });
  await pool.close();
  progress('Starting authorize');
  const authorize = await startAuthorizeProcess({
    databaseUrl: postgres.url('app'),
    wrappingKeyFile: keys.wrappingKeyFile,
    objectDirectory: join(directory, 'objects'),
  });
  closers.defer(() => authorize.stop());
  return {
    authorize,
    nextCall: createQuestions(organizations),
    [Symbol.asyncDispose]: () => closers.disposeAsync(),
  };
}

function drive(base: string, options: BenchOptions, nextCall: () => Call): Promise<LoadOutcome> {
  return runOpenLoop({
    base,
    rate: options.rate,
    seconds: options.seconds,
    nextCall,
    onProgress: (second, { latencies, errors, wrong }) => {
      const p95 = percentile(latencies, 95).toFixed(1);
      options.progress(`  ${second} s: p95 ${p95} ms, ${errors} errors, ${wrong} wrong`);
    },
  });
}

/** The same load on a server that only reads the body and answers: what is left of our figures is ours. */
async function measureBaseline(options: BenchOptions): Promise<{ p95: number; cpuMsPerCall: number }> {
  const port = Promise.withResolvers<string>();
  const server = spawnGuarded({
    command: process.execPath,
    args: [join(import.meta.dirname, 'baseline-server.ts')],
    env: {},
    stopSignal: 'SIGTERM',
    onLine: (line) => port.resolve(line),
  });
  const base = `http://127.0.0.1:${await port.promise}`;
  const call = { path: '/', headers: {}, body: '{}'.padEnd(400), expected: '{"decision":true}' };
  await drive(base, { ...options, seconds: 2, progress: () => {} }, () => call);
  const before = await readProcessUsage(server.pid);
  const seconds = Math.min(baselineSeconds, options.seconds);
  const outcome = await drive(base, { ...options, seconds, progress: () => {} }, () => call);
  const after = await readProcessUsage(server.pid);
  await server.stop();
  const cpuMs = (after?.cpuMs ?? Number.NaN) - (before?.cpuMs ?? Number.NaN);
  return { p95: percentile(outcome.latencies, 95), cpuMsPerCall: cpuMs / outcome.calls };
}

function toResults(
  rate: number,
  outcome: LoadOutcome,
  usage: { cpuMs: number; residentBytes: number } | undefined,
  baseline: { p95: number; cpuMsPerCall: number },
): BenchResult[] {
  const at = `at ${rate}/s`;
  const p = (percent: number) => percentile(outcome.latencies, percent);
  const process =
    usage === undefined
      ? []
      : [
          { name: 'CPU per request', value: usage.cpuMs / outcome.calls, unit: 'ms' },
          {
            name: 'CPU per request to bare node:http',
            value: usage.cpuMs / outcome.calls / baseline.cpuMsPerCall,
            unit: 'times',
          },
          { name: 'resident memory', value: usage.residentBytes / 2 ** 20, unit: 'MiB' },
        ];
  return [
    { name: `p50 ${at}`, value: p(50), unit: 'ms' },
    { name: `p95 ${at}`, value: p(95), unit: 'ms', boundMax: 10 },
    { name: `p99 ${at}`, value: p(99), unit: 'ms' },
    { name: `max ${at}`, value: p(100), unit: 'ms' },
    { name: 'requests', value: outcome.calls, unit: 'requests' },
    { name: 'errors', value: outcome.errors, unit: 'requests', boundMax: 0 },
    { name: 'wrong answers', value: outcome.wrong, unit: 'requests', boundMax: 0 },
    ...process,
    { name: 'p95 of bare node:http', value: baseline.p95, unit: 'ms' },
    { name: 'p95 to bare node:http', value: p(95) / baseline.p95, unit: 'times' },
  ];
}
