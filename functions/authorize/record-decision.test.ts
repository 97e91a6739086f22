import { describe, expect, it } from 'vitest';
import type { Principal } from '../../shared/authentication/index.ts';
import type { Decision } from '../../shared/authorization/index.ts';
import type { DecisionRecord } from '../../shared/decision-record/index.ts';
import { systemClock, systemRandom } from '../../shared/kernel/index.ts';
import { organizationId } from '../../shared/organization/index.ts';
import { serviceAccountId } from '../../shared/service-account/index.ts';
import { recordDecision } from './record-decision.ts';

const owner = organizationId.create({ clock: systemClock, random: systemRandom });
const caller: Principal = {
  scopes: ['document:read'],
  type: 'service_account',
  id: serviceAccountId.create({ clock: systemClock, random: systemRandom }),
  organizationId: owner,
  credential: { type: 'api_key', id: 'key_1', fingerprint: 'key_1…abcd' },
};
const request = {
  subject: { type: 'user', id: 'usr_1', properties: { level: 1 } },
  action: { name: 'read', properties: undefined },
  resource: { type: 'document', id: '1', properties: undefined },
  context: undefined,
};

async function made(decision: Partial<Decision>, traceparent?: string): Promise<DecisionRecord | undefined> {
  const records: DecisionRecord[] = [];
  await recordDecision(
    {
      clock: systemClock,
      decisions: {
        record: (record) => {
          records.push(record);
          return undefined;
        },
      },
    },
    {
      caller,
      request,
      decision: { decision: true, code: 'permitted', revision: 'r1', ...decision },
      requestId: 'req',
      traceparent,
    },
  );
  return records[0];
}

describe('a recorded decision', () => {
  // A question about oneself cannot be understood, or asked again, without them.
  it('names the credential and what it was issued for', async () => {
    expect((await made({}))?.principal).toEqual({
      type: 'service_account',
      id: caller.id,
      credential: 'key_1…abcd',
      scopes: ['document:read'],
    });
  });

  it.each([
    ['an owner’s binding decided', { binding: 'bind_1', role: 'OrgOwner' }, true],
    ['an operator’s binding decided', { binding: 'bind_1', role: 'PlatformOperator' }, true],
    ['an owner’s binding refused', { binding: 'bind_1', role: 'OrgOwner', decision: false }, true],
    ['a binding decided that no fact names', { binding: 'bind_1' }, true],
    ['the policy marked', { isPrivileged: true }, true],
    ['another’s binding decided', { binding: 'bind_1', role: 'Member' }, false],
    ['a rule of another policy decided', { binding: 'rule 7' }, false],
    ['no binding decided', {}, false],
  ] as const)('is privileged or not: what %s', async (_what, decision, expected) => {
    expect((await made(decision))?.isPrivileged).toBe(expected);
  });

  it('holds the attributes as they came, for the recorder to mask, and the revisions it rests on', async () => {
    expect(await made({ dataRevision: 7 })).toMatchObject({
      attributes: { subject: { level: 1 } },
      policyRevision: 'r1',
      dataRevision: 7,
    });
  });

  // Threat: a header is a place to write any text into the record.
  it.each([
    ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', '4bf92f3577b34da6a3ce929d0e0e4736'],
    ['00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01', undefined],
    ['hello', undefined],
    [undefined, undefined],
  ])('names the trace of %j', async (traceparent, expected) => {
    expect((await made({}, traceparent))?.traceId).toBe(expected);
  });

  it('that is not durable when it must be gives no answer', async () => {
    const decisions = { record: () => Promise.reject(new Error('down')) };
    const decision: Decision = { decision: true, code: 'permitted', revision: 'r1', isPrivileged: true };
    const recording = recordDecision(
      { clock: systemClock, decisions },
      { caller, request, decision, requestId: 'req' },
    );
    await expect(recording).rejects.toThrow('down');
  });
});
