import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postgresApiKeyStore } from '../../shared/api-key/api-key-store.postgres.ts';
import { postgresAuditExportStore } from '../../shared/audit/audit-export-store.postgres.ts';
import {
  appendEvents,
  findExport,
  requestExport,
  runExport,
  verifyExport,
} from '../../shared/audit/index.ts';
import { withOrg } from '../../shared/db/index.ts';
import { postgresEventRecorder } from '../../shared/events/event-recorder.postgres.ts';
import { parseLeaf, type SealedMember, sealedMemberSchema } from '../../shared/events/index.ts';
import { createMemoryPublisher } from '../../shared/events/publisher.memory.ts';
import { systemRandom as random, typeId } from '../../shared/kernel/index.ts';
import type { OrganizationId } from '../../shared/organization/index.ts';
import { drainOutbox } from '../../shared/outbox/index.ts';
import { postgresOutboxStore } from '../../shared/outbox/outbox-store.postgres.ts';
import { erasePerson, holdSubjectKeys, openPersonalData } from '../../shared/personal-data/index.ts';
import { postgresPersonStore } from '../../shared/personal-data/person-store.postgres.ts';
import { postgresSubjectKeyStore } from '../../shared/personal-data/subject-key-store.postgres.ts';
import { postgresDataKeyStore } from '../../shared/secret/data-key-store.postgres.ts';
import {
  type KeyPurpose,
  type KeyRing,
  type KeyRingDeps,
  openBox,
  openKeyRing,
} from '../../shared/secret/index.ts';
import { openFileKeyWrapper } from '../../shared/secret/key-wrapper.file.ts';
import { openTestApiKeys, type TestApiKeys } from '../support/seed-organization.ts';
import { type AuditFixture, createAuditFixture, eventually } from './audit-fixture.ts';

const userId = typeId('usr');
const actor = { type: 'user', id: 'usr_officer' } as const;

let fixture: AuditFixture;
let files: TestApiKeys;
let ringDeps: KeyRingDeps;
let ring: KeyRing;
let organizationId: OrganizationId;
let user: string;

beforeAll(async () => {
  fixture = await createAuditFixture();
  files = await openTestApiKeys(fixture.pools.app);
  const wrapper = await openFileKeyWrapper({ random }, files.wrappingKeyFile);
  const { clock, pools } = fixture;
  ringDeps = { pool: pools.app, store: postgresDataKeyStore, wrapper, clock, random };
  ring = await openKeyRing(ringDeps, 'personal-data');
});
afterAll(async () => {
  await files.dispose();
  await fixture.close();
});

const events = () => postgresEventRecorder({ clock: fixture.clock, random, source: 'uos/test' });
const keys = () => ({ store: postgresSubjectKeyStore, ring, clock: fixture.clock, random });

/** Records that the person joined, in the transaction that `before` may hold open. */
async function recordJoined(email: string, whileOpen: () => Promise<unknown> = async () => undefined) {
  return withOrg(fixture.pools.app, organizationId, async (tx) => {
    const held = await holdSubjectKeys(keys(), tx, { organizationId, subjects: [user] });
    await whileOpen();
    return events().record(tx, organizationId, {
      type: 'uos.membership.created.v1',
      subject: user,
      actor,
      data: { name: 'ada', managedBy: 'api' },
      personal: (event) => ({
        email: { after: held.seal({ event, subject: user, path: 'personal.email.after' }, email) },
      }),
    });
  });
}

const erase = () => {
  // Ids of one millisecond have no order.
  fixture.clock.advance(10);
  return erasePerson(
    {
      pool: fixture.pools.app,
      keys: postgresSubjectKeyStore,
      people: postgresPersonStore,
      apiKeys: postgresApiKeyStore(fixture.pools.app),
      events: events(),
      clock: fixture.clock,
    },
    { organizationId, userId: user, actor },
  );
};

async function leafOf(eventId: string): Promise<string> {
  const [row] = await fixture.query('select leaf from audit_event where event_id = $1', [eventId]);
  return String(row?.['leaf']);
}

async function read(eventId: string) {
  const leaves = [await leafOf(eventId)];
  const opened = await withOrg(fixture.pools.app, organizationId, (tx) =>
    openPersonalData(keys(), tx, { organizationId, leaves }),
  );
  return opened.flat();
}

async function start(): Promise<void> {
  organizationId = await fixture.createOrganization();
  user = userId.create({ clock: fixture.clock, random });
}

describe('a text about a person', () => {
  it('is readable for who holds the key, and nowhere else', async () => {
    await start();
    const event = await recordJoined('ada@example.org');
    expect(await read(event)).toEqual([
      { path: 'personal.email.after', subject: user, status: 'readable', value: 'ada@example.org' },
    ]);
    expect(await leafOf(event)).not.toContain('example.org');
  });

  it('is erased with its key, and the erasure is an event without it', async () => {
    await start();
    const event = await recordJoined('ada@example.org');
    const erased = await erase();
    expect(await read(event)).toEqual([
      {
        path: 'personal.email.after',
        subject: user,
        status: 'erased',
        erasedAt: erased.ok && erased.value.erasedAt,
      },
    ]);
    const trail = await fixture.query(
      'select type, leaf from audit_event where subject = $1 order by event_id',
      [user],
    );
    expect(trail.map((row) => row['type'])).toEqual(['uos.membership.created.v1', 'uos.user.erased.v1']);
    expect(String(trail.at(-1)?.['leaf'])).not.toContain('ada');
  });

  it('is erased once: again, nothing is changed or recorded', async () => {
    await start();
    await recordJoined('ada@example.org');
    const first = await erase();
    fixture.clock.advance(1000);
    expect(await erase()).toEqual(first);
    expect(await Promise.all([erase(), erase()])).toEqual([first, first]);
    const [row] = await fixture.query(
      `select count(*)::int as n from audit_event where type = 'uos.user.erased.v1' and subject = $1`,
      [user],
    );
    expect(row?.['n']).toBe(1);
  });

  it('sealed after an erasure has a key of another generation, and the first stays closed', async () => {
    await start();
    const before = await recordJoined('ada@example.org');
    await erase();
    const after = await recordJoined('new@example.org');
    expect(await read(before)).toMatchObject([{ status: 'erased' }]);
    expect(await read(after)).toMatchObject([{ status: 'readable', value: 'new@example.org' }]);
    const rows = await fixture.query(
      'select generation, destroyed_at is null as live from subject_key where subject_id = $1 order by 1',
      [user],
    );
    expect(rows).toEqual([
      { generation: 1, live: false },
      { generation: 2, live: true },
    ]);
    await erase();
    expect(await read(after)).toMatchObject([{ status: 'erased' }]);
  });

  it('recorded while it is erased is erased too: the erasure waits for it', async () => {
    await start();
    await recordJoined('ada@example.org');
    let erasing: ReturnType<typeof erase> | undefined;
    const event = await recordJoined('late@example.org', async () => {
      erasing = erase();
      await eventually(async () => {
        const waiting = await fixture.query(
          `select 1 from pg_stat_activity where datname = current_database()
            and wait_event_type = 'Lock' and query like '%subject_key%'`,
        );
        return waiting.length > 0 ? true : undefined;
      });
    });
    expect((await erasing)?.ok).toBe(true);
    expect(await read(event)).toMatchObject([{ status: 'erased' }]);
  });

  it('first sealed by two at once is sealed with one key', async () => {
    await start();
    const recorded = await Promise.all([recordJoined('a@example.org'), recordJoined('b@example.org')]);
    const opened = await Promise.all(recorded.map(read));
    expect(opened.flat()).toMatchObject([{ value: 'a@example.org' }, { value: 'b@example.org' }]);
    expect((await fixture.query('select 1 from subject_key where subject_id = $1', [user])).length).toBe(1);
  });

  it('whose key was destroyed cannot be opened by giving the row its bytes again', async () => {
    await start();
    await recordJoined('ada@example.org');
    const [before] = await fixture.query('select key_sealed from subject_key where subject_id = $1', [user]);
    await erase();
    const restore = `update subject_key set key_sealed = $2, destroyed_at = null, destroyed_by = null where subject_id = $1`;
    await expect(fixture.query(restore, [user, before?.['key_sealed']])).rejects.toThrow('is destroyed');
  });

  it('of another organization, copied into this one, is unreadable and not erased', async () => {
    await start();
    const theirs = await leafOf(await recordJoined('ada@example.org'));
    const mine = await fixture.createOrganization();
    const opened = await withOrg(fixture.pools.app, mine, (tx) =>
      openPersonalData(keys(), tx, { organizationId: mine, leaves: [theirs] }),
    );
    expect(opened.flat()).toMatchObject([{ status: 'unreadable' }]);
  });
});

it('fetches and makes the keys of a thousand people in three statements', async () => {
  await start();
  const subjects = Array.from({ length: 1000 }, () => userId.create({ clock: fixture.clock, random }));
  let statements = 0;
  const counted =
    <Given extends unknown[], Answer>(method: (...given: Given) => Answer) =>
    (...given: Given) => {
      statements++;
      return method(...given);
    };
  const { list, hold, addMissing, ...rest } = postgresSubjectKeyStore;
  const store = { ...rest, list: counted(list), hold: counted(hold), addMissing: counted(addMissing) };
  const holdAll = () =>
    withOrg(fixture.pools.app, organizationId, (tx) =>
      holdSubjectKeys({ ...keys(), store }, tx, { organizationId, subjects }),
    );
  await holdAll();
  expect(statements).toBe(3);
  await holdAll();
  expect(statements).toBe(4);
});

describe('an export of the log', () => {
  /** Every key that the database can give, the wrapping key being known: data keys, and subject keys under them. */
  async function openAllKeys(): Promise<Buffer[]> {
    const dataKeys: Buffer[] = [];
    for (const row of await fixture.query('select purpose, version from data_key')) {
      const opened = await openKeyRing(ringDeps, row['purpose'] as KeyPurpose);
      dataKeys.push(Buffer.from((await opened.find(Number(row['version'])))?.bytes ?? []));
    }
    const boxes = await fixture.query(
      `select key_sealed, org_id || ':' || subject_id || ':' || generation as context
         from subject_key where key_sealed is not null`,
    );
    const subjectKeys = boxes.flatMap(({ key_sealed, context }) =>
      dataKeys.flatMap((key) => {
        const opened = openBox({ key, context: `personal-data:${context}`, box: key_sealed as Buffer });
        return opened.ok ? [opened.value] : [];
      }),
    );
    return [...dataKeys, ...subjectKeys];
  }

  async function isOpenedByAnyKey(eventId: string, member: SealedMember): Promise<boolean> {
    const context = [
      'personal-data',
      'uos.membership.created.v1',
      eventId,
      user,
      'personal.email.after',
    ].join('\n');
    const box = Buffer.from(member.sealed.slice('v1.'.length), 'base64url');
    return (await openAllKeys()).some((key) => openBox({ key, context, box }).ok);
  }

  async function exportAll(): Promise<string> {
    const deps = {
      pool: fixture.pools.app,
      store: postgresAuditExportStore,
      events: events(),
      clock: fixture.clock,
      random,
    };
    const memory = createMemoryPublisher();
    await drainOutbox({ pool: fixture.pools.relay, store: postgresOutboxStore, publisher: memory });
    for (const { topic, value, key } of memory.accepted) {
      const event = parseLeaf(value.toString());
      if (topic === 'audit.identity' && event.ok)
        await appendEvents(fixture.log, key as OrganizationId, [event.value]);
    }
    fixture.clock.advance(60_000);
    const requested = await requestExport(deps, {
      organizationId,
      actor,
      from: new Date(fixture.clock.now().getTime() - 3_600_000),
      to: fixture.clock.now(),
    });
    if (!requested.ok) throw new Error(requested.failure.code);
    expect(await runExport(fixture.exporting, requested.value)).toEqual({ ok: true, value: 'ready' });
    const found = await findExport(deps, { organizationId, exportId: requested.value.id });
    if (!found.ok) throw new Error('not found');
    return join(fixture.directory, found.value.objectPrefix ?? '');
  }

  const verify = (directory: string) =>
    verifyExport({ read: (path) => readFile(join(directory, path)).catch(() => undefined) });

  it('still verifies when a person in it is erased, and then no key opens what it holds of them', async () => {
    await start();
    const event = await recordJoined('ada@example.org');
    const before = await exportAll();
    const names = await readdir(join(before, 'events'));
    const lines = await Promise.all(names.map((name) => readFile(join(before, 'events', name), 'utf8')));
    expect(lines.join('')).not.toContain('example.org');
    const line =
      lines
        .join('')
        .split('\n')
        .find((text) => text.includes(event)) ?? '';
    const leaf = parseLeaf(line);
    const personal = leaf.ok ? (leaf.value.data['personal'] as { email: { after: unknown } }) : undefined;
    const member = sealedMemberSchema.parse(personal?.email.after);
    // That this would find a key shows that it finds none below.
    expect(await isOpenedByAnyKey(event, member)).toBe(true);
    await erase();
    expect(await verify(before)).toMatchObject({ ok: true, value: { findings: [] } });
    const after = await exportAll();
    expect(await verify(after)).toMatchObject({ ok: true, value: { findings: [] } });
    expect(await isOpenedByAnyKey(event, member)).toBe(false);
  });
});
