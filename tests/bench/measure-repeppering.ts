import { postgresDataKeyRotationStore } from '../../shared/rewrap/data-key-rotation-store.postgres.ts';
import { findDataKeyRotation, requestDataKeyRotation } from '../../shared/rewrap/index.ts';
import { createQuestions } from './authorize-questions.ts';
import type { BenchOptions, BenchResult } from './bench-result.ts';
import type { BenchScene } from './bench-scene.ts';
import { percentile } from './latency.ts';
import { runOpenLoop } from './open-loop.ts';
import { postTick } from './tick.ts';

/** The least that key-rotation allows: twice the time in which a process looks for new data keys. */
const leadSeconds = 120;
const questionsPerSecond = 167;
const windowSeconds = 5;

/** Every API key's secret is sealed anew under a new pepper by the key-rotation function, beside the everyday load. */
export async function measureRepeppering(scene: BenchScene, options: BenchOptions): Promise<BenchResult[]> {
  const { deps } = scene.keys;
  const rotations = { ...deps, rotations: postgresDataKeyRotationStore };
  const requested = await requestDataKeyRotation(rotations, {
    purpose: 'api-key-pepper',
    actor: { type: 'system', id: 'bench' },
  });
  if (!requested.ok) throw new Error(requested.failure.code);
  const { id } = requested.value;
  const [worker, authorize] = await Promise.all([
    scene.start('key-rotation', {
      DATA_KEY_LEAD_SECONDS: String(leadSeconds),
      DATA_KEY_GRACE_SECONDS: '0',
      SIGNING_ALGORITHMS: 'ES256',
    }),
    scene.startAuthorize(),
  ]);
  const state = { isDone: false };
  const statusOf = async () => (await findDataKeyRotation(rotations, id))?.status;
  const ticking = (async () => {
    while (!state.isDone) {
      await postTick(worker.base);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  })();
  const nextCall = createQuestions(scene.plans, 4);
  const latencies: number[] = [];
  let failures = 0;
  let resealingSince: number | undefined;
  let resealedMs = Number.NaN;
  options.progress(`A new pepper is made; it seals after ${leadSeconds} s`);
  while (!state.isDone) {
    const outcome = await runOpenLoop({
      base: authorize.base,
      rate: questionsPerSecond,
      seconds: windowSeconds,
      nextCall,
    });
    const status = await statusOf();
    if (status === 'resealing') {
      resealingSince ??= performance.now();
      latencies.push(...outcome.latencies);
      failures += outcome.errors + outcome.wrong;
    }
    if (status === 'retiring' || status === 'finished') {
      resealedMs = performance.now() - (resealingSince ?? performance.now());
      state.isDone = true;
    }
  }
  await ticking;
  const rotation = await findDataKeyRotation(rotations, id);
  await Promise.all([worker.stop(), authorize.stop()]);
  const keys = rotation?.rowsDone ?? Number.NaN;
  const sorted = Float64Array.from(latencies).sort();
  return [
    { name: 'keys sealed under a new pepper', value: keys, unit: 'keys', boundMin: keysOf(scene) },
    { name: 'time to seal them', value: resealedMs / 1000, unit: 's' },
    { name: 'authorize meanwhile, p95', value: percentile(sorted, 95), unit: 'ms', boundMax: 5 },
    { name: 'errors and wrong answers meanwhile', value: failures, unit: 'requests', boundMax: 0 },
  ];
}

function keysOf({ plans }: BenchScene): number {
  return plans.reduce((sum, { keys }) => sum + keys, 0);
}
