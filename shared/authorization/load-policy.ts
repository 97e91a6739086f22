import { readPolicyBundle } from './policy-bundle.ts';
import type { PolicyEngine } from './policy-engine.ts';

/** For a function that permits nothing without a policy: a bundle that does not work ends the start. */
export async function loadPolicy(engine: PolicyEngine, directory: string): Promise<void> {
  const bundle = await readPolicyBundle(directory);
  const activated = bundle.ok ? await engine.activate(bundle.value) : bundle;
  if (!activated.ok)
    throw new Error(`The policy bundle in "${directory}" is not usable`, { cause: activated.failure });
}
