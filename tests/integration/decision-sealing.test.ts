import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DatabasePool, openPool, withOrg } from '../../shared/db/index.ts';
import { postgresDecisionJournal } from '../../shared/decision-record/decision-journal.postgres.ts';
import {
  type DecisionJournal,
  decisionSegmentId,
  type JournalPart,
  type SealJournalDeps,
  sealOrganization,
  toLine,
} from '../../shared/decision-record/index.ts';
import { systemClock, systemRandom } from '../../shared/kernel/index.ts';
import type { OrganizationId } from '../../shared/organization/index.ts';
import { createDecisionFixture, type DecisionFixture, decisionRecord as record } from './decision-fixture.ts';

const ambient = { clock: systemClock, random: systemRandom };

let fixture: DecisionFixture;
/** Megabytes take as long as the machine needs. */
let writes: DatabasePool;
let reads: DatabasePool;
let mine: OrganizationId;
let theirs: OrganizationId;

beforeAll(async () => {
  fixture = await createDecisionFixture();
  const patient = { applicationName: 'test', statementTimeoutMs: 120_000 };
  writes = openPool({ url: fixture.database.appUrl, ...patient });
  reads = openPool({ url: fixture.database.logUrl, ...patient });
});
afterAll(async () => {
  await writes.close();
  await reads.close();
  await fixture.close();
});

const write = (...parts: readonly JournalPart[]) => postgresDecisionJournal(writes).write(parts);
const seal = (deps: Partial<SealJournalDeps> = {}) =>
  fixture.seal({ timeoutSeconds: 600 }, { pool: reads, journal: postgresDecisionJournal(reads), ...deps });
beforeEach(async () => {
  mine = await fixture.createOrganization();
  theirs = await fixture.createOrganization();
});

/** One record, as an instance of an earlier version may have left it: as large as it was asked. */
function partOf(
  organizationId: OrganizationId,
  requestId: string,
  { bytes = 0, revision = 'r1' } = {},
): JournalPart {
  const line = toLine(record(organizationId, requestId, { policyRevision: revision }));
  const time = new Date('2026-03-04T05:06:07.089Z');
  return {
    organizationId,
    id: decisionSegmentId.create(ambient),
    place: 0,
    records: 1,
    from: time,
    to: time,
    lines: `${line.slice(0, -2)},"padding":"${'x'.repeat(Math.max(0, bytes - line.length))}"}\n`,
  };
}

/** Remembers how much each list read, and lets others in behind it. */
function watchLists(afterList: () => Promise<unknown> = async () => undefined) {
  const journal = postgresDecisionJournal(reads);
  const bytes: number[] = [];
  const watched: DecisionJournal = {
    ...journal,
    list: async (tx, bounds) => {
      const page = await journal.list(tx, bounds);
      bytes.push(page.parts.reduce((sum, { lines }) => sum + Buffer.byteLength(lines), 0));
      await afterList();
      return page;
    },
  };
  return { journal: watched, bytes };
}

const megabyte = 1024 * 1024;

describe('sealing', { timeout: 180_000 }, () => {
  // Threat: one tenant's records are too large to be held, and nobody's are sealed any more.
  it('reads a bounded number of bytes at a time, however much waits', async () => {
    for (let n = 0; n < 5; n++) await write(partOf(mine, `${n}`, { bytes: 5 * megabyte }));
    const { journal, bytes } = watchLists();
    await seal({ journal });
    expect(bytes.length).toBeGreaterThanOrEqual(2);
    expect(Math.max(...bytes)).toBeLessThanOrEqual(16 * megabyte);
    expect((await fixture.requestIdsOf(mine)).sort()).toEqual(Array.from({ length: 5 }, (_, n) => `${n}`));
    for (const { lines } of await fixture.segmentsOf(mine)) expect(lines.length).toBeLessThanOrEqual(2);
  });

  it('gets past a part that is larger than that alone', async () => {
    await write(partOf(mine, 'large', { bytes: 17 * megabyte }));
    await write(partOf(mine, 'small'));
    await seal();
    expect((await fixture.requestIdsOf(mine)).sort()).toEqual(['large', 'small']);
  });

  it('of an organization that has much lets the others have their turn', async () => {
    for (let n = 0; n < 3; n++) await write(partOf(mine, `${n}`, { bytes: 9 * megabyte }));
    await write(partOf(theirs, 'one'));
    const sealed: OrganizationId[] = [];
    const { segments } = fixture.sealing;
    const noting = {
      ...segments,
      add: (...[tx, segment]: Parameters<typeof segments.add>) => {
        sealed.push(segment.organizationId);
        return segments.add(tx, segment);
      },
    };
    await seal({ segments: noting });
    expect(sealed).toEqual([mine, theirs, mine, mine]);
  });

  it('lists what fits, the oldest first, and says whether there is more', async () => {
    const journal = postgresDecisionJournal(reads);
    const parts = ['1', '2', '3'].map((requestId) => partOf(mine, requestId, { bytes: 1_000 }));
    await write(...parts);
    const list = (limit: number, bytesMax: number) =>
      withOrg(reads, mine, async (tx) => {
        const { parts: listed, hasMore } = await journal.list(tx, { limit, bytesMax });
        return { ids: listed.map(({ id }) => id), hasMore };
      });
    const ids = parts.map(({ id }) => id).sort();
    expect(await list(10, 10_000)).toEqual({ ids, hasMore: false });
    expect(await list(2, 10_000)).toEqual({ ids: ids.slice(0, 2), hasMore: true });
    expect(await list(3, 10_000)).toEqual({ ids, hasMore: false });
    expect(await list(10, 2_500)).toEqual({ ids: ids.slice(0, 2), hasMore: true });
    expect(await list(10, 1)).toEqual({ ids: ids.slice(0, 1), hasMore: true });
  });
});

describe('an organization that is sealed at somebody’s word', () => {
  // Threat: an export up to now that lacks decisions made before it, and says nothing.
  it('has nothing left in the journal, also where a rival took some of it meanwhile', async () => {
    await write(partOf(mine, 'a'), partOf(mine, 'b'));
    let isFirst = true;
    const { journal } = watchLists(async () => {
      if (!isFirst) return;
      isFirst = false;
      await seal();
    });
    // Of a policy revision, and so a segment, of its own: the rival has listed before it came.
    const late = partOf(mine, 'c', { revision: 'r2' });
    const listing: DecisionJournal = {
      ...journal,
      list: async (tx, bounds) => {
        const page = await journal.list(tx, bounds);
        if (page.parts.length !== 2) return page;
        await write(late);
        return { ...page, parts: [...page.parts, late] };
      },
    };
    await sealOrganization({ ...fixture.sealing, pool: reads, journal: listing }, mine);
    expect(await fixture.journaled(mine)).toEqual([]);
    expect((await fixture.requestIdsOf(mine)).sort()).toEqual(['a', 'b', 'c']);
  });

  it('is told to be incomplete rather than left so when others take without end', async () => {
    await write(partOf(mine, 'a'));
    const journal = { ...fixture.sealing.journal, remove: async () => 0 };
    await expect(sealOrganization({ ...fixture.sealing, journal }, mine)).rejects.toThrow('kept sealing');
  });
});
