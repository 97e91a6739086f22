import { describe, expect, it } from 'vitest';
import type { Principal } from '../../shared/authentication/index.ts';
import type { SubjectFacts } from '../../shared/authorization/index.ts';
import { systemClock as clock, ok, systemRandom as random } from '../../shared/kernel/index.ts';
import { organizationId } from '../../shared/organization/index.ts';
import { serviceAccountId } from '../../shared/service-account/index.ts';
import { silentLogger } from '../../shared/telemetry/index.ts';
import { answerEvaluation } from './answer-evaluation.ts';

const caller: Principal = {
  organizationId: organizationId.create({ clock, random }),
  type: 'service_account',
  id: serviceAccountId.create({ clock, random }),
  credential: { type: 'api_key', id: 'key_1', fingerprint: 'key_1…abcd' },
};
const facts: SubjectFacts = {
  organization: { id: caller.organizationId, status: 'active' },
  subject: { known: true, status: 'active', teams: [] },
  bindings: [],
};
const body = {
  subject: { type: caller.type, id: caller.id },
  action: { name: 'read' },
  resource: { type: 'a', id: '1' },
};
const call = {
  authorization: 'Bearer of a test',
  contentType: 'application/json',
  body: Buffer.from(JSON.stringify(body)),
  requestId: 'req_1',
  clientAddress: '192.0.2.1',
};

/** What was done for one question of a caller who may ask so often, in order. */
async function ask(options: { isAdmitted: boolean }) {
  const done: string[] = [];
  const answer = await answerEvaluation(
    {
      authenticator: {
        authenticate: async (_authorization, _from, onProven) => {
          onProven?.(caller);
          return ok(caller);
        },
      },
      mayAsk: () => Promise.reject(new Error('It asks about itself')),
      questionLimits: {
        take: (_, cost) => {
          done.push(`charge ${cost}`);
          return options.isAdmitted ? { isAdmitted: true } : { isAdmitted: false, retryAfterSeconds: 2 };
        },
        giveBack: () => undefined,
      },
      decisions: { isAccepting: () => true, record: () => undefined },
      facts: {
        prefetch: () => void done.push('read ahead'),
        find: async () => {
          done.push('read');
          return facts;
        },
      },
      engine: { evaluate: () => ({ decision: false, code: 'not_permitted', revision: 'r1' }) },
      clock,
      logger: silentLogger,
    },
    call,
  );
  return { done, answer };
}

describe('a question', () => {
  it('is charged once, before anything is read for it', async () => {
    const { done, answer } = await ask({ isAdmitted: true });
    expect(done).toEqual(['charge 1', 'read ahead', 'read']);
    expect(answer).toEqual(ok('{"decision":false}'));
  });

  // Threat: a caller beyond its limit keeps the database busy with subjects it makes up.
  it('of a caller who asks too much has nothing read', async () => {
    const { done, answer } = await ask({ isAdmitted: false });
    expect(done).toEqual(['charge 1']);
    expect(answer).toMatchObject({ failure: { code: 'rate_limit.exceeded', retryAfterSeconds: 2 } });
  });
});
