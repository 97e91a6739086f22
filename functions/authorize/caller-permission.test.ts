import { describe, expect, it } from 'vitest';
import type { Principal } from '../../shared/authentication/index.ts';
import type { Decision, PolicyInput, SubjectFacts } from '../../shared/authorization/index.ts';
import { systemClock, systemRandom } from '../../shared/kernel/index.ts';
import { organizationId } from '../../shared/organization/index.ts';
import { serviceAccountId } from '../../shared/service-account/index.ts';
import { createCallerPermission } from './caller-permission.ts';

const deps = { clock: systemClock, random: systemRandom };
const org = organizationId.create(deps);
const principal: Principal = {
  organizationId: org,
  type: 'service_account',
  id: serviceAccountId.create(deps),
  credential: { type: 'api_key', id: 'key', fingerprint: 'key…abcd' },
};

function toFacts(): SubjectFacts {
  return {
    organization: { id: org, status: 'active' },
    subject: { known: true, status: 'active', teams: [] },
    bindings: [],
  };
}

function setUp() {
  const state = {
    now: new Date('2026-01-01T00:00:00.100Z'),
    revision: 'r1',
    facts: toFacts(),
    isPermitted: true,
    asked: [] as PolicyInput[],
  };
  const mayAsk = createCallerPermission({
    clock: { now: () => state.now },
    facts: { find: async () => state.facts },
    engine: {
      status: () => ({ revision: state.revision, activatedAt: undefined }),
      evaluate: (input): Decision => {
        state.asked.push(input);
        return { decision: state.isPermitted, code: state.isPermitted ? 'permitted' : 'not_permitted' };
      },
    },
  });
  const ask = async (scopes?: readonly string[]) =>
    (await mayAsk(scopes === undefined ? principal : { ...principal, scopes })).ok;
  return { state, ask };
}

describe('the permission to ask about others', () => {
  it('is asked of the policy once a second for the same facts and the same policy', async () => {
    const { state, ask } = setUp();
    expect([await ask(), await ask(), await ask()]).toEqual([true, true, true]);
    expect(state.asked).toHaveLength(1);
    expect(state.asked[0]).toMatchObject({
      action: { name: 'evaluate' },
      resource: { type: 'authorization', id: '*' },
      subject: { type: 'service_account', id: principal.id },
    });
  });

  // Threat: a narrow credential that profits from what a wide one of the same account was told.
  it('is asked apart for each list of scopes', async () => {
    const { state, ask } = setUp();
    const lists = [undefined, [], ['a:b', 'c:d'], ['a:b","c:d'], ['a:b']];
    for (const list of [...lists, ...lists]) await ask(list);
    expect(state.asked.map(({ subject }) => subject.scopes)).toEqual(lists);
  });

  // Each of them may turn the answer, so none may be left out of what is remembered.
  it.each([
    ['the facts change', (state: ReturnType<typeof setUp>['state']) => (state.facts = toFacts())],
    ['the policy changes', (state: ReturnType<typeof setUp>['state']) => (state.revision = 'r2')],
    [
      'a second passes, in which a binding may expire',
      (state: ReturnType<typeof setUp>['state']) => (state.now = new Date('2026-01-01T00:00:01Z')),
    ],
  ])('is asked again when %s', async (_, change) => {
    const { state, ask } = setUp();
    expect(await ask()).toBe(true);
    state.isPermitted = false;
    change(state);
    expect(await ask()).toBe(false);
  });
});
