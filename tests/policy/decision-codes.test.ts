import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findOpa } from '../../policies/build.ts';
import { writeBundleFiles } from '../../policies/cli/bundle-path.ts';
import { decisionCodes } from '../../shared/authorization/index.ts';
import { compileBundle } from '../support/compile-bundle.ts';
import { runPolicy } from '../support/policy-command.ts';

const opa = await findOpa();
const schema = join(import.meta.dirname, '../../policies/schemas/decision.json');

// Of a customer whose budgets are the words of the request: ours come from facts, once there are budgets.
const rules = `
default decision := {"decision": false, "code": "not_permitted", "rule": "no_grant"}

decision := {"decision": false, "code": "budget_exhausted", "rule": "limit_reached"} if {
  input.action.name == "spend"
  is_spent
}

decision := {"decision": true, "code": "permitted", "rule": "within_limit"} if {
  input.action.name == "spend"
  not is_spent
}

is_spent if input.resource.properties.spent >= input.resource.properties.limit
`;

const cases = `
cases:
  - name: within the limit
    subject: { id: usr_ann }
    ask: { action: { name: spend }, resource: { type: model, id: m, properties: { spent: 9, limit: 10 } } }
    expect: { decision: true, code: permitted, rule: within_limit }
  - name: at the limit
    subject: { id: usr_ann }
    ask: { action: { name: spend }, resource: { type: model, id: m, properties: { spent: 10, limit: 10 } } }
    expect: { decision: false, code: budget_exhausted, rule: limit_reached }
  - name: something else
    subject: { id: usr_ann }
    ask: { action: { name: read }, resource: { type: model, id: m, properties: { spent: 10, limit: 10 } } }
    expect: { decision: false, code: not_permitted, rule: no_grant }
`;

test('the schema of an answer says of every code what it means', async () => {
  const { properties } = JSON.parse(await readFile(schema, 'utf8'));
  const described: { const?: string; description: string }[] = properties.code.anyOf;
  expect(described.flatMap((code) => code.const ?? [])).toEqual(decisionCodes);
  expect(described.every(({ description }) => description.length > 10)).toBe(true);
});

describe.skipIf(opa === undefined)('a bundle that knows budgets', () => {
  let scratch: string;
  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'uos-codes-'));
  });
  afterAll(() => rm(scratch, { recursive: true }));

  test('tells an exhausted budget from the want of a grant', async () => {
    const { manifest, ...files } = await compileBundle(opa ?? '', rules);
    await writeBundleFiles(join(scratch, 'bundle'), {
      ...files,
      manifest: Buffer.from(JSON.stringify(manifest)),
    });
    await writeFile(join(scratch, 'cases.yaml'), cases);
    const asked = ['--bundle', join(scratch, 'bundle'), '--cases', join(scratch, 'cases.yaml'), '--json'];
    const replayed = await runPolicy('replay', ...asked);
    expect(replayed).toMatchObject({ code: 0, complaint: '' });
    expect(JSON.parse(replayed.out)).toMatchObject({ total: 3, flipped: 0, other_reason: 0, failed: 0 });
  });
});
