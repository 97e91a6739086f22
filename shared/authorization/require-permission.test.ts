import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readPolicyBundle } from './policy-bundle.ts';
import { createPolicyEngine } from './policy-engine.ts';
import type { Authentication } from './policy-input.ts';
import { requirePermission, toCaller } from './require-permission.ts';
import { createMemorySubjectFacts, type MemorySubjectFacts } from './subject-facts.memory.ts';

const organizationId = 'org_01h455vb4pex5vsknk084sn02q';
const otherId = 'org_01h455vb4pex5vsknk084sn02r';
const subject = { type: 'user', id: 'usr_1' };
const clock = { now: () => new Date(1_800_000_000_000) };
const engine = createPolicyEngine({ clock });
let facts: MemorySubjectFacts;

beforeAll(async () => {
  const bundle = await readPolicyBundle(join(import.meta.dirname, '../../policies/bundle'));
  if (!bundle.ok) throw new Error(bundle.failure.detail);
  expect((await engine.activate(bundle.value)).ok).toBe(true);
});

beforeEach(() => {
  facts = createMemorySubjectFacts();
});

function grant(role: string): void {
  const scope = { type: 'organization', id: organizationId } as const;
  facts.set(subject, {
    organization: { id: organizationId, status: 'active' },
    subject: { known: true, status: 'active', teams: [] },
    bindings: [{ id: 'bind_1', role, permissions: [], effect: 'allow', scope }],
  });
}

function issueKey(
  target: { owner?: string; authentication?: Authentication; scopes?: readonly string[] } = {},
) {
  const { owner = organizationId, authentication, ...scopes } = target;
  return requirePermission(
    { facts, engine, clock },
    {
      caller: {
        ...toCaller({ organizationId, ...subject, ...scopes }),
        ...(authentication === undefined ? {} : { authentication }),
      },
      permission: 'api_key:issue',
      resource: { properties: { organization: owner } },
    },
  );
}

describe('requiring a permission', () => {
  test('gives a permit that names the binding it rests on', async () => {
    grant('Developer');
    expect(await issueKey()).toMatchObject({
      ok: true,
      value: { permission: 'api_key:issue', caller: { subject }, decision: { binding: 'bind_1' } },
    });
  });

  test('refuses a caller whose roles do not hold it', async () => {
    grant('Auditor');
    expect(await issueKey()).toEqual({
      ok: false,
      failure: {
        code: 'authorization.not_permitted',
        detail: 'The caller lacks the permission "api_key:issue"',
        reason: 'not_permitted',
      },
    });
  });

  test('refuses what the credential was not issued for, and says that it is the credential', async () => {
    grant('Developer');
    expect(await issueKey({ scopes: ['document:*', 'api_key:read'] })).toEqual({
      ok: false,
      failure: {
        code: 'authorization.not_permitted',
        detail: 'The scopes of the credential do not include "api_key:issue"',
        reason: 'not_permitted',
      },
    });
    expect(await issueKey({ scopes: ['api_key:*'] })).toMatchObject({ ok: true });
  });

  test('grants nothing by the scopes of a credential', async () => {
    grant('Auditor');
    expect(await issueKey({ scopes: ['*:*'] })).toMatchObject({
      ok: false,
      failure: { detail: 'The caller lacks the permission "api_key:issue"' },
    });
  });

  test('refuses a caller nobody knows', async () => {
    expect(await issueKey()).toMatchObject({ ok: false, failure: { reason: 'unknown_subject' } });
  });

  test('refuses a resource of another organization', async () => {
    grant('Developer');
    expect(await issueKey({ owner: otherId })).toMatchObject({
      ok: false,
      failure: { reason: 'not_permitted' },
    });
  });

  test('asks an owner for a second factor, and takes the one the credential proves', async () => {
    grant('OrgOwner');
    expect(await issueKey()).toMatchObject({
      ok: false,
      failure: { code: 'authorization.step_up_required', obligations: [{ type: 'step-up' }] },
    });
    expect((await issueKey({ authentication: { amr: ['pwd', 'mfa'] } })).ok).toBe(true);
  });

  test('throws when nothing could be decided, so that an outage is not taken for a missing right', async () => {
    const cause = new Error('connection refused');
    const broken = { facts: { find: () => Promise.reject(cause) }, engine, clock };
    const asked = requirePermission(broken, {
      caller: { organizationId, subject },
      permission: 'audit:read',
    });
    await expect(asked).rejects.toMatchObject({ cause });
  });
});
