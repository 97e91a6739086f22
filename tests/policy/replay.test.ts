import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBundle, writeBundleFiles } from '../../policies/cli/bundle-path.ts';
import { type RecordedLine, replayRecord, whyNotAsked } from '../../policies/cli/replay-records.ts';
import { createMemorySubjectFacts } from '../../shared/authorization/index.ts';
import { bundleFiles, withData } from '../support/policy-bundle-fixture.ts';
import { runPolicy } from '../support/policy-command.ts';

const decisions = join(import.meta.dirname, '../decisions');
const cases = join(decisions, 'roles.yaml');
let scratch: string;
const at = (name: string) => join(scratch, name);

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'uos-replay-'));
  const files = await bundleFiles({ revision: 'as-it-is' });
  await writeBundleFiles(at('old'), files);
  // The auditor may read nothing any more, and the member may do everything.
  const stricter = withData(files, 'changed', (data) => {
    data.roles.Auditor.permissions = [];
    data.roles.Member.permissions = ['*:*'];
  });
  await writeBundleFiles(at('new.tar.gz'), stricter);
});
afterAll(() => rm(scratch, { recursive: true }));

const four = `
cases:
  - name: auditor reads the trail
    subject: { id: usr_ann }
    bindings: [{ id: bind_1, role: Auditor }]
    ask: { action: { name: read }, resource: { type: audit, id: "*" } }
    expect: { decision: true }
  - name: auditor exports
    subject: { id: usr_ann }
    bindings: [{ id: bind_1, role: Auditor }]
    ask: { action: { name: read }, resource: { type: audit, id: "2" } }
    expect: { decision: true }
  - name: member deletes
    subject: { id: usr_ben }
    bindings: [{ id: bind_2, role: Member }]
    ask: { action: { name: delete }, resource: { type: document, id: "7" } }
    expect: { decision: false }
  - name: stranger
    subject: { id: usr_eve, known: false }
    ask: { action: { name: read }, resource: { type: document, id: "7" } }
    expect: { decision: false }
`;

describe('a replay of cases', () => {
  test('shows which would flip, by rule and by principal', async () => {
    await writeFile(at('four.yaml'), four);
    const args = ['replay', '--bundle', at('new.tar.gz'), '--against', at('old'), '--cases', at('four.yaml')];
    const asJson = await runPolicy(...args, '--json');
    expect(asJson.code).toBe(1);
    expect(JSON.parse(asJson.out)).toMatchObject({
      bundle: 'changed',
      against: 'as-it-is',
      facts: 'stated',
      total: 4,
      flipped: 3,
      to_permit: 1,
      to_refuse: 2,
      other_reason: 0,
      failed: 0,
      by_rule: [
        {
          before: { decision: true, rule: 'granted_by_binding' },
          after: { decision: false, rule: 'no_grant' },
          count: 2,
        },
        { before: { decision: false }, after: { decision: true }, count: 1 },
      ],
      by_subject: [
        { type: 'user', id: 'usr_ann', to_permit: 0, to_refuse: 2 },
        { type: 'user', id: 'usr_ben', to_permit: 1, to_refuse: 0 },
      ],
      flips: [{ name: 'auditor reads the trail' }, { name: 'auditor exports' }, { name: 'member deletes' }],
    });
    const { out } = await runPolicy(...args);
    expect(out).toContain('3 would flip: 1 to permit, 2 to refuse');
    expect(out).toMatch(/By principal[\s\S]*0 +2 +user:usr_ann/);
    expect(out).toMatch(/permit +user:usr_ben +delete +document:7 +member deletes/);
  });

  test('against what the cases expect says whether the bundle does it', async () => {
    const good = await runPolicy('replay', '--bundle', at('old'), '--cases', cases);
    expect(good).toMatchObject({ code: 0, out: expect.stringContaining('0 would flip') });
    expect((await runPolicy('replay', '--bundle', at('new.tar.gz'), '--cases', cases)).code).toBe(1);
  });

  test.each([
    ['a bundle that is none', ['--bundle', cases, '--cases', cases]],
    ['cases that are none', ['--bundle', 'OLD', '--cases', import.meta.filename]],
    ['records without facts', ['--bundle', 'OLD', '--records', cases]],
  ])('with %s is 2, and says why', async (_what, args) => {
    const { code, complaint } = await runPolicy(
      'replay',
      ...args.map((arg) => (arg === 'OLD' ? at('old') : arg)),
    );
    expect(code).toBe(2);
    expect(complaint).toMatch(/no bundle|no YAML|no file of cases|need facts/);
  });
});

test('every file of decision cases can be replayed, and the built-in bundle does what they expect', async () => {
  const files = (await readdir(decisions)).filter((name) => name.endsWith('.yaml'));
  expect(files.length).toBeGreaterThan(4);
  for (const name of files) {
    const replayed = await runPolicy('replay', '--bundle', at('old'), '--cases', join(decisions, name));
    expect(replayed).toMatchObject({ code: 0, complaint: '' });
    expect(replayed.out).toContain('0 stay as they are for another reason; 0 end in an error');
  }
});

describe('a record is asked again', () => {
  const organization = 'org_01h455vb4pex5vsknk084sn02q';
  const line: RecordedLine = {
    time: '2027-01-15T08:00:00.000Z',
    organization,
    request_id: 'r-1',
    subject: { type: 'user', id: 'usr_ann' },
    action: 'issue',
    resource: { type: 'api_key', id: '*' },
    decision: true,
    code: 'permitted',
    rule: 'granted_by_binding',
  };
  const ask = async (changes: Partial<RecordedLine>, role = 'OrgAdmin', expires_at?: number) => {
    const facts = createMemorySubjectFacts();
    const scope = { type: 'organization', id: organization } as const;
    const expiry = expires_at === undefined ? {} : { expires_at };
    facts.set(line.subject, {
      organization: { id: organization, status: 'active' },
      subject: { known: true, status: 'active', teams: [] },
      bindings: [{ id: 'bind_1', role, permissions: [], effect: 'allow', scope, ...expiry }],
    });
    const { engine } = await openBundle(at('old'));
    return replayRecord({ facts, bundle: engine, against: engine }, { ...line, ...changes });
  };

  test('at its own time: what has ended since was not over then', async () => {
    const endedLater = Date.parse(line.time) / 1000 + 60;
    const { asked, isChangedSince } = await ask({}, 'OrgAdmin', endedLater);
    expect([asked.after.decision, isChangedSince]).toEqual([true, false]);
    const late = await ask({ time: '2027-01-15T08:01:00.000Z' }, 'OrgAdmin', endedLater);
    expect([late.asked.after.decision, late.isChangedSince]).toEqual([false, true]);
  });

  test('with the scopes of the credential that asked about its own holder', async () => {
    const asked = async (id: string, ...scopes: string[]) =>
      (await ask({ principal: { type: 'user', id, scopes } })).asked.after;
    expect(await asked('usr_ann', 'document:read')).toMatchObject({ rule: 'outside_credential_scope' });
    expect(await asked('usr_ann', 'api_key:*')).toMatchObject({ decision: true });
    expect(await asked('usr_gateway', 'document:read')).toMatchObject({ decision: true });
  });

  test('with the attributes that were kept, and says when some were not', async () => {
    const attributes = { context: { authentication: { amr: ['mfa'] } } };
    expect((await ask({ attributes }, 'OrgOwner')).asked.after).toMatchObject({ decision: true });
    const masked = await ask({ masked: ['context.authentication'] }, 'OrgOwner');
    expect(masked).toMatchObject({
      asked: { after: { code: 'step_up_required' } },
      isIncomplete: true,
      isChangedSince: true,
    });
  });

  test('unless it stands for a search, or its names are not what was asked about', () => {
    const reasons = [{}, { code: 'searched', rule: 'search_action', action: '*' }, { shortened: true }].map(
      (changes) => whyNotAsked({ ...line, ...changes }),
    );
    expect(reasons).toEqual([undefined, 'search', 'shortened']);
  });
});
