import { apiKeyId, revokeApiKey } from '../../shared/api-key/index.ts';
import { organizationId } from '../../shared/organization/index.ts';
import type { BenchOptions, BenchResult } from './bench-result.ts';
import type { BenchScene } from './bench-scene.ts';
import { percentile } from './latency.ts';
import { idOf, keyTextOf, type OrganizationPlan } from './seed-plan.ts';
import { askWith, type HeldKey, timeToRefusal, untilRefused } from './time-to-refusal.ts';

const warmProcesses = 3;

/** Keys are revoked by the real use case while warm processes hold them: when does the last one refuse, and is one ever let in after? */
export async function measureRevocation(scene: BenchScene, options: BenchOptions): Promise<BenchResult[]> {
  const [revocations, races] = options.quick ? [50, 500] : [1_000, 10_000];
  const nextVictim = createVictims(scene);
  const processes = await Promise.all(Array.from({ length: warmProcesses }, () => scene.startAuthorize()));
  const bases = processes.map(({ base }) => base);
  options.progress(`Revoking ${revocations} keys that ${warmProcesses} processes hold`);
  const delays = Float64Array.from(
    await repeat(revocations, () => timeToRefusal(bases, nextVictim())),
  ).sort();
  options.progress(`Revoking ${races} keys while they are read for the first time`);
  const stale = await race(bases, races, nextVictim);
  await Promise.all(processes.map((each) => each.stop()));
  return [
    { name: 'revocation to refusal, p50', value: percentile(delays, 50), unit: 'ms' },
    { name: 'revocation to refusal, p99', value: percentile(delays, 99), unit: 'ms', boundMax: 250 },
    { name: 'revocation to refusal, max', value: percentile(delays, 100), unit: 'ms', boundMax: 1_000 },
    { name: 'revocations', value: revocations, unit: 'keys' },
    { name: 'fill races', value: races, unit: 'tries' },
    { name: 'stale answers after a fill race', value: stale, unit: 'answers', boundMax: 0 },
  ];
}

/**
 * A key is first asked with and revoked in the same moment. Changes arrive in the order of their commits: once a key
 * that was revoked last is refused, each process knows of all, and must refuse all.
 */
async function race(bases: readonly string[], tries: number, nextVictim: () => HeldKey): Promise<number> {
  const atOnce = 50;
  let stale = 0;
  for (let done = 0; done < tries; done += atOnce) {
    const victims = Array.from({ length: Math.min(atOnce, tries - done) }, nextVictim);
    const last = nextVictim();
    await Promise.all(bases.map((base) => askWith(base, last)));
    await Promise.all(
      victims.map((victim, n) =>
        Promise.all([askWith(bases[n % bases.length] ?? '', victim), victim.revoke()]),
      ),
    );
    await last.revoke();
    await Promise.all(bases.map((base) => untilRefused(base, last)));
    const answers = await Promise.all(
      victims.map((victim, n) => askWith(bases[n % bases.length] ?? '', victim)),
    );
    stale += answers.filter((status) => status !== 401).length;
  }
  return stale;
}

/** Seeded keys, the later ones of each organization: no other part of the bench asks with them. */
function createVictims({ plans, keys }: BenchScene): () => HeldKey {
  const victims = (function* () {
    for (const plan of plans) for (let place = plan.keys - 1; place > 0; place--) yield toVictim(plan, place);
  })();
  const deps = keys.deps;
  function toVictim(plan: OrganizationPlan, place: number): HeldKey {
    const subject = { type: 'service_account', id: idOf('sa', plan.place, place % plan.serviceAccounts) };
    return {
      text: keyTextOf(plan.place, place),
      // About itself, which anything may ask.
      body: JSON.stringify({ subject, action: { name: 'read' }, resource: { type: 'document', id: '1' } }),
      revoke: async () => {
        const revoked = await revokeApiKey(deps, {
          organizationId: organizationId.require(idOf('org', plan.place)),
          keyId: apiKeyId.require(idOf('key', plan.place, place)),
          actor: { type: 'system', id: 'bench' },
        });
        if (!revoked.ok) throw new Error(`a seeded key was not revoked: ${revoked.failure.code}`);
      },
    };
  }
  return () => {
    const next = victims.next();
    if (next.done) throw new Error('the seed has too few keys');
    return next.value;
  };
}

async function repeat<T>(times: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let n = 0; n < times; n++) results.push(await work());
  return results;
}
