import type { FunctionProcess } from '../support/function-process.ts';
import { createQuestions } from './authorize-questions.ts';
import type { BenchOptions, BenchResult } from './bench-result.ts';
import type { BenchScene } from './bench-scene.ts';
import { keepHistogram, percentile } from './latency.ts';
import { type LoadOutcome, runOpenLoop } from './open-loop.ts';
import { type ProcessUsage, readProcessUsage } from './process-usage.ts';

type Rate = { readonly rate: number; readonly seconds: number; readonly p95Max: number };

const warmUpSeconds = 15;

/** Questions at fixed rates, every answer compared with the model. */
export async function measureRates(scene: BenchScene, options: BenchOptions): Promise<BenchResult[]> {
  const authorize = await scene.startAuthorize();
  const nextCall = createQuestions(scene.plans);
  const results: BenchResult[] = [];
  for (const rate of ratesOf(options)) {
    options.progress(`Warming up for ${warmUpSeconds} s at ${rate.rate}/s`);
    await runOpenLoop({ base: authorize.base, rate: rate.rate, seconds: warmUpSeconds, nextCall });
    results.push(...(await measureRate(authorize, rate, { ...options, nextCall })));
  }
  await authorize.stop();
  return results;
}

function ratesOf({ rate, seconds, quick }: BenchOptions): Rate[] {
  if (rate !== undefined) return [{ rate, seconds: seconds ?? 60, p95Max: 10 }];
  const burst = { rate: 833, seconds: seconds ?? (quick ? 10 : 60), p95Max: 10 };
  return [{ rate: 167, seconds: seconds ?? (quick ? 10 : 300), p95Max: 5 }, burst];
}

async function measureRate(
  authorize: FunctionProcess,
  rate: Rate,
  { nextCall, progress }: BenchOptions & { nextCall: ReturnType<typeof createQuestions> },
): Promise<BenchResult[]> {
  progress(`Measuring ${rate.rate} questions/s for ${rate.seconds} s`);
  const before = await readProcessUsage(authorize.pid);
  const outcome = await runOpenLoop({
    base: authorize.base,
    ...rate,
    nextCall,
    onProgress: (second, { latencies, errors, wrong }) => {
      progress(
        `  ${second} s: p95 ${percentile(latencies, 95).toFixed(1)} ms, ${errors} errors, ${wrong} wrong`,
      );
    },
  });
  const after = await readProcessUsage(authorize.pid);
  const usage = {
    cpuMs: (after?.cpuMs ?? Number.NaN) - (before?.cpuMs ?? Number.NaN),
    residentBytes: after?.residentBytes ?? Number.NaN,
  };
  const about = { rate: rate.rate, seconds: rate.seconds, at: new Date().toISOString() };
  progress(`Histogram: ${await keepHistogram(`authorize-${rate.rate}`, about, outcome.latencies)}`);
  if (outcome.firstError !== undefined) progress(`First error: ${outcome.firstError}`);
  return toResults(rate, outcome, usage);
}

function toResults({ rate, p95Max }: Rate, outcome: LoadOutcome, usage: ProcessUsage): BenchResult[] {
  const at = `at ${rate}/s`;
  const p = (percent: number) => percentile(outcome.latencies, percent);
  return [
    { name: `p50 ${at}`, value: p(50), unit: 'ms' },
    { name: `p95 ${at}`, value: p(95), unit: 'ms', boundMax: p95Max },
    { name: `p99 ${at}`, value: p(99), unit: 'ms', boundMax: 20 },
    { name: `max ${at}`, value: p(100), unit: 'ms' },
    { name: `p95 of privileged ones ${at}`, value: percentile(outcome.privileged, 95), unit: 'ms' },
    { name: `privileged ones ${at}`, value: outcome.privileged.length, unit: 'requests' },
    { name: `requests ${at}`, value: outcome.calls, unit: 'requests' },
    { name: `errors ${at}`, value: outcome.errors, unit: 'requests', boundMax: 0 },
    { name: `wrong answers ${at}`, value: outcome.wrong, unit: 'requests', boundMax: 0 },
    { name: `CPU per request ${at}`, value: usage.cpuMs / outcome.calls, unit: 'ms' },
    { name: `resident memory ${at}`, value: usage.residentBytes / 2 ** 20, unit: 'MiB' },
  ];
}
