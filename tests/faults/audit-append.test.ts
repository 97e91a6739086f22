import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type AuditLogDeps, appendEvents } from '../../shared/audit/index.ts';
import type { CloudEvent } from '../../shared/events/index.ts';
import type { OrganizationId } from '../../shared/organization/index.ts';
import { appendLeaves, hashLeaf, openCheckpoint, parseVerifierKey } from '../../shared/tlog/index.ts';
import { type AuditFixture, createAuditFixture } from '../integration/audit-fixture.ts';
import { failingPool } from '../support/failing-pool.ts';

let fixture: AuditFixture;
let organization: OrganizationId;
beforeAll(async () => {
  fixture = await createAuditFixture();
});
afterAll(() => fixture.close());
beforeEach(async () => {
  fixture.clock.set('2026-03-01T10:00:00.000Z');
  organization = await fixture.createOrganization();
});

const eventOf = (id: string): CloudEvent => ({
  specversion: '1.0',
  id,
  source: 'uos/test',
  type: 'uos.organization.created.v1',
  subject: organization,
  time: fixture.clock.now().toISOString(),
  datacontenttype: 'application/json',
  orgid: organization,
  partitionkey: organization,
  data: { actor: { type: 'system', id: 'test' }, name: id, managedBy: 'api' },
});

const append = (pool: AuditLogDeps['pool'], event: CloudEvent) =>
  appendEvents({ ...fixture.log, pool }, organization, [event]);

async function record(id: string): Promise<CloudEvent> {
  const event = eventOf(id);
  await fixture.recordAll([event]);
  return event;
}

/** Every log of the organization holds together: entries, tiles, head and signature say the same. */
async function readWholeLogs(): Promise<string[]> {
  const logs = await fixture.query('select * from audit_log where org_id = $1 order by log_id', [
    organization,
  ]);
  const ids: string[] = [];
  for (const log of logs) {
    const named = [organization, log['log_id']];
    const entries = await fixture.query(
      'select * from audit_entry where org_id = $1 and log_id = $2 order by entry_index',
      named,
    );
    const leafHashes = entries.map((entry) => hashLeaf(Buffer.from(String(entry['leaf']))));
    const tree = appendLeaves({ size: 0, tiles: [], leafHashes });
    const key = parseVerifierKey(String(log['verifier_key']));
    const head = key.ok && openCheckpoint(Buffer.from(String(log['checkpoint'])), key.value);
    expect(head).toMatchObject({ ok: true, value: { size: entries.length, root: Buffer.from(tree.root) } });
    expect(log).toMatchObject({ size: String(entries.length), root_hash: Buffer.from(tree.root) });
    const tiles = await fixture.query('select * from audit_tile where org_id = $1 and log_id = $2', named);
    expect(tiles.map((tile) => tile['hashes'])).toEqual(tree.tiles.map((tile) => Buffer.from(tile.hashes)));
    ids.push(...entries.map((entry) => String(entry['event_id'])));
  }
  return ids;
}

/** Fails each statement in turn until an append needs none of them; returns how many there are. */
async function failEach(
  lost: 'request' | 'answer',
  prepare: (round: number) => Promise<unknown>,
): Promise<number> {
  for (let atStatement = 1; ; atStatement++) {
    await prepare(atStatement);
    const before = await readWholeLogs();
    const id = `evt_fault_${lost}_${atStatement}`;
    const event = await record(id);
    const pool = failingPool(fixture.pools.log, { atStatement, lost });
    const outcome = await append(pool, event).catch(() => 'failed');
    const after = await readWholeLogs();
    // Either all of it is there or nothing; when only the answer to the commit was lost, it is all there.
    if (after.length > before.length) expect(after).toContain(id);
    else expect(after).toEqual(before);
    const retried = await append(fixture.pools.log, event);
    expect(retried.outcomes).toEqual([after.includes(id) ? 'duplicate' : 'appended']);
    expect((await readWholeLogs()).filter((name) => name === id)).toHaveLength(1);
    if (!pool.hasFailed()) {
      expect(outcome).toMatchObject({ outcomes: ['appended'] });
      return atStatement - 1;
    }
  }
}

describe.each(['request', 'answer'] as const)('when the %s of any one statement is lost', (lost) => {
  test('an append leaves nothing half-done, and the retry appends the event once', async () => {
    await append(fixture.pools.log, await record('evt_first'));
    // begin, recorded, lock, known, newest, edge, head, entries, tiles, commit
    expect(await failEach(lost, async () => undefined)).toBe(10);
  });

  test('the first append of an organization leaves nothing half-done', async () => {
    // begin, recorded, lock, known, newest, head, entries, tiles, commit
    const statements = await failEach(lost, async () => {
      organization = await fixture.createOrganization();
    });
    expect(statements).toBe(9);
  });

  test('the turn of a day leaves nothing half-done: sealed and opened, or neither', async () => {
    const statements = await failEach(lost, async (round) => {
      fixture.clock.set('2026-03-01T23:00:00.000Z');
      organization = await fixture.createOrganization();
      await append(fixture.pools.log, await record(`evt_before_${round}`));
      fixture.clock.set('2026-03-02T01:00:00.000Z');
    });
    // begin, recorded, lock, known, newest; edge, head, entries, tiles of the old log; head, entries, tiles of the new; commit
    expect(statements).toBe(13);
  });
});
