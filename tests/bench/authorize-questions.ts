import type { Call } from './open-loop.ts';
import { type Asked, isAllowed } from './seed-model.ts';
import { idOf, keyTextOf, machineKeyPlaceOf, type OrganizationPlan } from './seed-plan.ts';
import { seededNumbers } from './seeded.ts';

export const evaluationPath = '/access/v1/evaluation';

/** `place`: of the organization that asks. */
export type Question = Call & { readonly place: number };

/**
 * Endless questions, the same for the same seed. Most come from large organizations and about few of their users, as
 * in life; a tenth are about anyone anywhere, which no cache has.
 */
export function createQuestions(plans: readonly OrganizationPlan[], seed = 1): () => Question {
  const random = seededNumbers(seed);
  const below = (count: number, skew = 1) => Math.floor(random() ** skew * count);
  const pick = <T>(items: readonly [T, ...T[]]): T => items[below(items.length)] ?? items[0];
  return () => {
    const skew = random() < 0.1 ? 1 : 4;
    const plan = plans[below(plans.length, skew)];
    if (plan === undefined) throw new Error('there is no organization to ask about');
    const asked: Asked = {
      // The first user owns the organization, and is not the one who works most in it.
      subject:
        random() < 0.06
          ? pick(['machine', 'machine key', 'stranger'])
          : plan.users - 1 - below(plan.users, skew),
      type: pick([
        'document',
        'document',
        'document',
        'document',
        'document',
        'document',
        'invoice',
        'ticket',
      ]),
      action: pick(['read', 'list', 'write', 'delete']),
      id: pick(['1', '2', 'shared', 'secret']),
      team: below(plan.parents.length),
      mfa: random() < 0.5,
    };
    return toCall(plan, asked, isAllowed(plan, asked));
  };
}

export function toCall(plan: OrganizationPlan, asked: Asked, expected: boolean): Question {
  return {
    place: plan.place,
    path: evaluationPath,
    headers: { authorization: `Bearer ${keyTextOf(plan.place, 0)}`, 'content-type': 'application/json' },
    body: JSON.stringify(toRequest(plan, asked)),
    expected: `{"decision":${expected}}`,
    // What an owner's binding decides is durable before its answer leaves.
    isPrivileged: asked.subject === 0,
  };
}

export function toRequest(plan: OrganizationPlan, { subject, type, action, id, team, mfa }: Asked) {
  return {
    subject: toSubject(plan, subject),
    action: { name: action },
    resource: { type, id, properties: { team: idOf('team', plan.place, team) } },
    context: { authentication: { amr: mfa ? ['pwd', 'mfa'] : ['pwd'] } },
  };
}

function toSubject(plan: OrganizationPlan, subject: Asked['subject']) {
  const { place } = plan;
  if (subject === 'machine') return { type: 'service_account', id: idOf('sa', place, 1) };
  if (subject === 'machine key') return { type: 'api_key', id: idOf('key', place, machineKeyPlaceOf(plan)) };
  if (subject === 'stranger') return { type: 'user', id: 'usr_nobody' };
  return { type: 'user', id: idOf('usr', place, subject) };
}
