import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compilePolicy, findOpa } from '../../policies/build.ts';
import {
  createPolicyEngine,
  type PolicyBundle,
  type PolicyInput,
  type PolicyManifest,
  policyEntrypoint,
} from '../../shared/authorization/index.ts';

const opa = await findOpa();
const capabilities = join(import.meta.dirname, '../../policies/capabilities.json');
const clock = { now: () => new Date(1_800_000_000_000) };
const question: PolicyInput = {
  now: 1_800_000_000,
  organization: { id: 'org_1', status: 'active' },
  subject: {
    type: 'identity',
    id: 'rick',
    known: false,
    status: 'disabled',
    teams: [],
    properties: { role: 'admin', codes: ['a', 'b'] },
  },
  bindings: [],
  action: { name: 'PUT' },
  resource: { type: 'route', id: '/todos/{id}', properties: {} },
  context: {},
};
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'uos-foreign-'));
});

afterAll(() => rm(directory, { recursive: true }));

async function compile(rules: string): Promise<PolicyBundle> {
  await mkdir(join(directory, 'src'), { recursive: true });
  await writeFile(join(directory, 'src/policy.rego'), `package uos.authz\n\n${rules}\n`);
  const { wasm, data } = await compilePolicy(opa ?? '', { directory, sources: ['src'], capabilities });
  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
  const digests = {
    wasm_sha256: sha256(wasm),
    data_sha256: sha256(data),
    source_sha256: sha256(Buffer.from(rules)),
  };
  const manifest: PolicyManifest = {
    revision: rules.slice(0, 9),
    entrypoint: policyEntrypoint,
    opa_version: '1',
    ...digests,
  };
  return { manifest, wasm, data };
}

const denying = 'default decision := {"decision": false, "code": "not_permitted"}';

function answering(value: string): string {
  const body = value.includes(' if ') ? value : `${value} if input.action.name == "PUT"`;
  return `${denying}\n\ndecision := ${body}`;
}

describe.skipIf(opa === undefined)('a bundle with rules that are not ours', () => {
  test('is served from policy alone, with its own codes', async () => {
    const engine = createPolicyEngine({ clock });
    const rule = '{"decision": true, "code": "admin_route"} if input.subject.properties.role == "admin"';
    expect((await engine.activate(await compile(`${denying}\n\ndecision := ${rule}`))).ok).toBe(true);
    expect(engine.evaluate(question)).toMatchObject({ decision: true, code: 'admin_route' });
  });

  test('is refused when it permits an empty question', async () => {
    const refused = await createPolicyEngine({ clock }).activate(
      await compile('decision := {"decision": true, "code": "permitted"}'),
    );
    expect(refused).toMatchObject({ ok: false, failure: { code: 'policy_bundle.unusable' } });
  });

  test('is refused when it has no default, so that a question could go unanswered', async () => {
    const refused = await createPolicyEngine({ clock }).activate(
      await compile('decision := {"decision": false, "code": "x"} if input.action'),
    );
    expect(refused).toMatchObject({ ok: false, failure: { code: 'policy_bundle.unusable' } });
  });

  test.each([
    ['a bare true', 'true'],
    ['a decision that is not a boolean', '{"decision": "true", "code": "permitted"}'],
    ['no code', '{"decision": true}'],
    ['an empty code', '{"decision": true, "code": ""}'],
    ['a rule that is not a name', '{"decision": true, "code": "permitted", "rule": 7}'],
    ['obligations nobody can read', '{"decision": true, "code": "permitted", "obligations": [{"id": "x"}]}'],
    ['a division by zero', '{"decision": true, "code": "permitted", "n": 1 / count(input.bindings)}'],
    [
      'two answers at once',
      '{"decision": true, "code": code} if some code in input.subject.properties.codes',
    ],
  ])('that answers with %s refuses', async (_what, value) => {
    const engine = createPolicyEngine({ clock });
    expect((await engine.activate(await compile(answering(value)))).ok).toBe(true);
    expect(engine.evaluate(question).decision).toBe(false);
    expect(engine.evaluate({ ...question, action: { name: 'GET' } }).decision).toBe(false);
  });
});
