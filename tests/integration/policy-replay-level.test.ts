import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeBundleFiles } from '../../policies/cli/bundle-path.ts';
import type { DecisionLogLevel, DecisionRecord } from '../../shared/decision-record/index.ts';
import { bundleFiles, withData } from '../support/policy-bundle-fixture.ts';
import { runPolicy } from '../support/policy-command.ts';
import { seedOrganization } from '../support/seed-organization.ts';
import { createDecisionFixture, type DecisionFixture, decisionRecord } from './decision-fixture.ts';

let fixture: DecisionFixture;
let scratch: string;
let strict: string;

beforeAll(async () => {
  fixture = await createDecisionFixture();
  scratch = await mkdtemp(join(tmpdir(), 'uos-replay-level-'));
  strict = join(scratch, 'strict');
  const refusing = withData(await bundleFiles(), 'strict', ({ roles }) => {
    for (const role of [roles.Auditor, roles.Member, roles.Developer]) role.permissions = [];
  });
  await writeBundleFiles(strict, refusing);
});
afterAll(async () => {
  await fixture.close();
  await rm(scratch, { recursive: true });
});

/** An organization of that level (absent: as it was created), with segments of what recorder and sealer kept. */
async function record(level?: DecisionLogLevel) {
  const organization = await seedOrganization(fixture.pool, {
    users: ['auditor', 'owner'],
    bindings: [
      { role: 'Auditor', subject: 'auditor' },
      { role: 'OrgOwner', subject: 'owner' },
    ],
  });
  const { organizationId } = organization;
  if (level !== undefined) await fixture.changeLog(organizationId, { level });
  const recorder = fixture.open();
  const about = (id: string, who: string, resource: string, more: Partial<DecisionRecord>) =>
    recorder.record(
      decisionRecord(organizationId, id, {
        subject: { type: 'user', id: organization.idOf(who) },
        resource: { type: resource, id: '1' },
        ...more,
      }),
    );
  const permitted = { decision: true, code: 'permitted', rule: 'granted_by_binding' };
  const noGrant = { decision: false, code: 'not_permitted', rule: 'no_grant', binding: undefined };
  about('permit-1', 'auditor', 'audit', { ...permitted, binding: organization.bindingIds[0] });
  about('permit-2', 'auditor', 'audit', { ...permitted, binding: organization.bindingIds[0] });
  about('refusal', 'auditor', 'document', noGrant);
  return { organizationId, recorder, about, permitted, owners: organization.bindingIds[1] };
}

/** Seals what the recorder kept and tries the strict bundle on it. */
async function replay({ organizationId, recorder }: Awaited<ReturnType<typeof record>>, ...args: string[]) {
  await recorder.close();
  await fixture.seal();
  const segments = await fixture.segmentsOf(organizationId);
  const paths = segments.map(({ data }) => join(fixture.directory, data.objectKey));
  const asked = ['--bundle', strict, '--database', fixture.database.appUrl, ...args];
  return runPolicy('replay', ...asked, '--records', ...paths);
}

describe('a replay of segments against a bundle that refuses what is ordinarily permitted', () => {
  it('at the level an organization has by default does not say that nothing would flip: it could not be told', async () => {
    const made = await record();
    const { code, out, complaint } = await replay(made);
    expect([code, complaint]).toEqual([2, expect.stringContaining('could not be told')]);
    expect(out).toContain('Recorded were 0 permits, 0 of them privileged, and 1 refusals.');
    expect(out).toContain(`No ordinary permit is among the records of ${made.organizationId}.`);
    expect(out).toContain('set it to "all" first');
    const { code: again, out: json } = await replay(made, '--json');
    expect(again).toBe(2);
    expect(JSON.parse(json)).toMatchObject({
      total: 1,
      flipped: 0,
      recorded: { permits: 0, privileged_permits: 0, refusals: 1 },
      warnings: [{ code: 'permits_not_recorded', organizations: [made.organizationId] }],
    });
  });

  it('at that level takes no privileged permit for an ordinary one', async () => {
    const made = await record('denials-and-privileged');
    const attributes = { context: { authentication: { amr: ['mfa'] } } };
    const owned = { ...made.permitted, binding: made.owners, isPrivileged: true, attributes };
    await made.about('privileged', 'owner', 'document', owned);
    const { code, out } = await replay(made, '--json');
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({
      total: 2,
      recorded: { permits: 1, privileged_permits: 1, refusals: 1 },
      warnings: [{ code: 'permits_not_recorded' }],
    });
  });

  it('at the level "all" finds what would be refused, and warns of nothing', async () => {
    const made = await record('all');
    const { code, out, complaint } = await replay(made, '--json');
    expect([code, complaint]).toEqual([1, '']);
    expect(JSON.parse(out)).toMatchObject({
      total: 3,
      flipped: 2,
      to_refuse: 2,
      recorded: { permits: 2, privileged_permits: 0, refusals: 1 },
      warnings: [],
      flips: [{ name: 'permit-1' }, { name: 'permit-2' }],
    });
    expect((await replay(made)).out).not.toContain('WARNING');
  });
});
