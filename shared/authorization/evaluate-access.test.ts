import { describe, expect, test } from 'vitest';
import { evaluateAccess, toPolicyInput } from './evaluate-access.ts';
import type { PolicyInput } from './policy-input.ts';
import { type SubjectFacts, unknownSubjectFacts } from './subject-facts.ts';

const organizationId = 'org_01h455vb4pex5vsknk084sn02q';
const clock = { now: () => new Date(1_800_000_000_999) };
const request = {
  subject: { type: 'user', id: 'usr_1', properties: { known: true } },
  action: { name: 'read', properties: undefined },
  resource: { type: 'document', id: '42', properties: undefined },
  context: undefined,
};
const facts: SubjectFacts = {
  organization: { id: organizationId, status: 'active' },
  subject: { known: true, status: 'active', teams: ['team_a'] },
  bindings: [],
};

function permitting() {
  const asked: PolicyInput[] = [];
  const evaluate = (input: PolicyInput) => {
    asked.push(input);
    return { decision: true, code: 'permitted' };
  };
  return { asked, engine: { evaluate } };
}

describe('evaluating access', () => {
  test('asks the policy with the facts of the subject and the time in whole seconds', async () => {
    const { asked, engine } = permitting();
    const source = { find: async () => facts };
    const decision = await evaluateAccess({ facts: source, engine, clock }, { organizationId, request });
    expect(decision).toEqual({ decision: true, code: 'permitted' });
    expect(asked).toEqual([
      {
        now: 1_800_000_000,
        organization: facts.organization,
        subject: { type: 'user', id: 'usr_1', ...facts.subject, properties: { known: true } },
        bindings: [],
        action: { name: 'read' },
        resource: { type: 'document', id: '42', properties: {} },
        context: {},
      },
    ]);
  });

  test('refuses with the code error when the facts cannot be had, and keeps the cause for the log', async () => {
    const cause = new Error('connection refused');
    const source = { find: () => Promise.reject(cause) };
    const decision = await evaluateAccess(
      { facts: source, ...permitting(), clock },
      { organizationId, request },
    );
    expect(decision).toEqual({ decision: false, code: 'error', cause });
  });

  test('lets an answer be used again no longer than a binding it was decided by', async () => {
    const binding = {
      id: 'bind_1',
      role: 'reader',
      permissions: ['document:read'],
      effect: 'allow',
      scope: { type: 'organization', id: organizationId },
      expires_at: 1_800_000_011,
    } as const;
    const source = { find: async () => ({ ...facts, bindings: [binding] }) };
    const engine = { evaluate: () => ({ decision: true, code: 'permitted', cacheSeconds: 60 }) };
    const decision = await evaluateAccess({ facts: source, engine, clock }, { organizationId, request });
    expect(decision).toEqual({ decision: true, code: 'permitted', cacheSeconds: 10 });
  });

  // Threat: a cache that mixes up organizations answers with another tenant's grants.
  test('refuses facts of another organization', async () => {
    const { asked, engine } = permitting();
    const source = { find: async () => unknownSubjectFacts('org_01h455vb4pex5vsknk084sn02r') };
    const decision = await evaluateAccess({ facts: source, engine, clock }, { organizationId, request });
    expect(decision).toMatchObject({ decision: false, code: 'error' });
    expect(asked).toEqual([]);
  });

  test('lets no member of the request stand in for a fact', () => {
    const forged = {
      ...request,
      subject: { ...request.subject, known: true, status: 'active', teams: ['team_z'] },
      bindings: [{ role: 'OrgOwner' }],
      now: 0,
    };
    const input = toPolicyInput(unknownSubjectFacts(organizationId), forged, 1);
    expect(input).toMatchObject({
      now: 1,
      bindings: [],
      subject: { known: false, status: 'disabled', teams: [] },
    });
  });
});
