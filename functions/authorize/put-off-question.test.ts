import { expect, it } from 'vitest';
import type { Principal } from '../../shared/authentication/index.ts';
import { createMemorySubjectFacts, NotEvaluatedError } from '../../shared/authorization/index.ts';
import type { DecisionRecord } from '../../shared/decision-record/index.ts';
import { ok, systemClock, systemRandom } from '../../shared/kernel/index.ts';
import { organizationId } from '../../shared/organization/index.ts';
import { serviceAccountId } from '../../shared/service-account/index.ts';
import { silentLogger } from '../../shared/telemetry/index.ts';
import { answerQuestion } from './answer-evaluation.ts';

const caller: Principal = {
  type: 'service_account',
  id: serviceAccountId.create({ clock: systemClock, random: systemRandom }),
  organizationId: organizationId.create({ clock: systemClock, random: systemRandom }),
  credential: { type: 'access_token', id: 'tok_1', keyId: 'jwk_1' },
};
const call = {
  authorization: 'x',
  contentType: 'x',
  body: Buffer.alloc(0),
  requestId: 'req_1',
  clientAddress: '::1',
};
const request = {
  subject: { type: caller.type, id: caller.id, properties: undefined },
  action: { name: 'read', properties: undefined },
  resource: { type: 'document', id: '42', properties: undefined },
  context: undefined,
};

// Threat: whoever fills the policy's thread makes denials out of the questions of everybody else.
it('answers 503 and records nothing where the policy had no room to be asked', async () => {
  const records: DecisionRecord[] = [];
  const evaluate = async () =>
    ({ decision: false, code: 'error', cause: new NotEvaluatedError('too many questions wait') }) as const;
  const deps = {
    authenticator: { authenticate: () => Promise.reject(new Error('not asked')) },
    mayAsk: () => Promise.reject(new Error('not asked')),
    questionLimits: { take: () => ({ isAdmitted: true }) as const, giveBack: () => undefined },
    decisions: {
      record: (record: DecisionRecord) => void records.push(record),
      isAccepting: () => true,
    },
    facts: createMemorySubjectFacts(),
    engine: { evaluate },
    clock: systemClock,
    logger: silentLogger,
  };
  const answered = await answerQuestion(deps, call, caller, { request, options: {} });
  expect(answered).toMatchObject({ ok: false, failure: { code: 'service.overloaded' } });
  expect(records).toEqual([]);
  const permitting = {
    evaluate: async () => ({ decision: true, code: 'permitted', revision: 'r1' }) as const,
  };
  expect(
    await answerQuestion({ ...deps, engine: permitting }, call, caller, { request, options: {} }),
  ).toEqual(ok('{"decision":true}'));
});
