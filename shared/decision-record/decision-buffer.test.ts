import { describe, expect, it } from 'vitest';
import { systemClock, systemRandom } from '../kernel/index.ts';
import { type OrganizationId, organizationId } from '../organization/index.ts';
import { createDecisionBuffer } from './decision-buffer.ts';
import type { DecisionRecord } from './decision-record.ts';

const organizations = Array.from({ length: 4 }, () =>
  organizationId.create({ clock: systemClock, random: systemRandom }),
);
const [a, b, c] = organizations as [OrganizationId, OrganizationId, OrganizationId];

function record(organization: OrganizationId, policyRevision = 'r1'): DecisionRecord {
  return {
    time: new Date('2026-01-01T00:00:00Z'),
    organization,
    requestId: 'req',
    principal: { type: 'service_account', id: 'sa', credential: 'key' },
    subject: { type: 'user', id: 'usr' },
    action: 'read',
    resource: { type: 'document', id: '1' },
    decision: true,
    code: 'permitted',
    rule: undefined,
    binding: undefined,
    policyRevision,
  };
}

const owners = (groups: DecisionRecord[][]) => groups.map((group) => group[0]?.organization);

describe('decision buffer', () => {
  it('never mixes organizations or policy revisions in a group', () => {
    const buffer = createDecisionBuffer({ groupFull: 100 });
    for (const each of [record(a), record(b), record(a, 'r2'), record(a)]) buffer.add(each);
    expect(buffer.take(10).map((group) => group.map((r) => [r.organization, r.policyRevision]))).toEqual([
      [
        [a, 'r1'],
        [a, 'r1'],
      ],
      [[b, 'r1']],
      [[a, 'r2']],
    ]);
  });

  it('gives those who wait longest first, and forgets none', () => {
    const buffer = createDecisionBuffer({ groupFull: 100 });
    for (const organization of [a, b, c, a]) buffer.add(record(organization));
    expect(owners(buffer.take(1))).toEqual([a]);
    buffer.add(record(a));
    expect(owners(buffer.take(2))).toEqual([b, c]);
    expect(owners(buffer.take(2))).toEqual([a]);
    expect(buffer.groups()).toBe(0);
  });

  it('gives a full group at once, however many others wait longer', () => {
    const buffer = createDecisionBuffer({ groupFull: 2 });
    for (const organization of [a, b, b, b]) buffer.add(record(organization));
    const taken = buffer.take(1);
    expect(owners(taken)).toEqual([b]);
    expect(taken[0]).toHaveLength(2);
    expect(owners(buffer.take(5))).toEqual([a, b]);
  });
});
