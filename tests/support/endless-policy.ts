import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compilePolicy, findOpa } from '../../policies/build.ts';
import type { PolicyBundle } from '../../shared/authorization/index.ts';
import { bundleOf } from './policy-bundle-fixture.ts';

const capabilities = join(import.meta.dirname, '../../policies/capabilities.json');
const rules = `package uos.authz

default decision := {"decision": false, "code": "not_permitted"}

decision := {"decision": true, "code": "permitted"} if {
	input.action.name == "spin"
	steps := numbers.range(1, 1000)
	some a in steps
	some b in steps
	some c in steps
	some d in steps
	d == input.resource.id
}
`;

/** 10^12 steps, none of which takes memory, for whoever asks to `spin`. Undefined when there is no compiler. */
export async function compileEndlessPolicy(): Promise<PolicyBundle | undefined> {
  const opa = await findOpa();
  if (opa === undefined) return undefined;
  const directory = await mkdtemp(join(tmpdir(), 'uos-endless-'));
  try {
    await writeFile(join(directory, 'policy.rego'), rules);
    const sources = ['policy.rego'];
    return bundleOf(await compilePolicy(opa, { directory, sources, capabilities }), 'endless');
  } finally {
    await rm(directory, { recursive: true });
  }
}
