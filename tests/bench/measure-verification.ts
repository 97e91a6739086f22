import { verifyApiKey } from '../../shared/api-key/index.ts';
import { invariant } from '../../shared/kernel/index.ts';
import { seedOrganization } from '../support/seed-organization.ts';
import type { BenchOptions, BenchResult } from './bench-result.ts';
import type { BenchScene } from './bench-scene.ts';

/**
 * CPU of proving a key whose row is at hand, without what an instance remembers: form, checksum, two seals opened and
 * compared. The round trip to the database is not this process's time.
 */
export async function measureVerification(scene: BenchScene, options: BenchOptions): Promise<BenchResult[]> {
  const organization = await seedOrganization(scene.pool, { serviceAccounts: ['robot'] });
  const { text, key } = await scene.keys.issue(organization, 'robot');
  const row = await scene.keys.deps.store.findForVerification(key.id);
  const deps = {
    ...scene.keys.deps,
    store: { ...scene.keys.deps.store, findForVerification: async () => row },
  };
  const verify = async (times: number) => {
    for (let n = 0; n < times; n++) {
      const verified = await verifyApiKey(deps, text);
      invariant(verified.ok, 'a good key was refused');
    }
  };
  const times = options.quick ? 2_000 : 50_000;
  await verify(times / 5);
  const before = process.cpuUsage();
  await verify(times);
  const { user, system } = process.cpuUsage(before);
  return [{ name: 'CPU of verifying a known key', value: (user + system) / times, unit: 'us', boundMax: 50 }];
}
