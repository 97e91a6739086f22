import type { OrgTransaction } from '../db/index.ts';
import type { CloudEvent } from '../events/index.ts';
import { invariant } from '../kernel/index.ts';
import { emptyRoot, formatVerifierKey } from '../tlog/index.ts';
import { type AuditLog, type LogName, originOf, toLogDay } from './audit-log.ts';
import type { AuditLogDeps } from './audit-log-deps.ts';
import { growLog, hasOurKey, signerOf } from './grow-log.ts';

export type OpenedLog = {
  readonly log: AuditLog;
  /** Entries it must begin with. */
  readonly first: readonly CloudEvent[];
  /** The one that was sealed for it. */
  readonly sealed: AuditLog | undefined;
};

const actor = { type: 'system', id: 'audit-ingest' } as const;

/** The log that events go to now. On the first of a day the log before is closed, and its end told in the new one. */
export async function openLog(
  deps: AuditLogDeps,
  tx: OrgTransaction,
  input: { organizationId: AuditLog['organizationId']; newest: AuditLog | undefined; now: Date },
): Promise<OpenedLog> {
  const { organizationId, newest } = input;
  const day = toLogDay(input.now);
  // Its day is later than ours when another instance's clock is ahead: a day that was begun is not gone back from.
  if (newest?.status === 'open' && newest.day >= day) return { log: newest, first: [], sealed: undefined };
  invariant(newest === undefined || newest.day < day, `the log of ${newest?.day} was sealed before its end`);
  const sealed = newest && (await sealLog(deps, tx, { log: newest, now: input.now }));
  const log = createLog(deps, { organizationId, day });
  const opened = deps.createEvent(organizationId, {
    type: 'uos.audit-log.opened.v1',
    subject: log.origin,
    actor,
    data: {
      origin: log.origin,
      day,
      ...(sealed === undefined ? {} : { previousCheckpoint: sealed.checkpoint }),
    },
  });
  return { log, first: [opened], sealed };
}

/** Its last entry says how many there are. When the key has changed since, nobody can sign one: it stays as it is. */
async function sealLog(
  deps: AuditLogDeps,
  tx: OrgTransaction,
  { log, now }: { log: AuditLog; now: Date },
): Promise<AuditLog> {
  const closed = deps.createEvent(log.organizationId, {
    type: 'uos.audit-log.closed.v1',
    subject: log.origin,
    actor,
    data: { origin: log.origin, day: log.day, entries: log.size + 1 },
  });
  const grown = hasOurKey(deps, log)
    ? await growLog(deps, tx, { log, events: [closed] })
    : { log, entries: [], tiles: [] };
  const sealed: AuditLog = { ...grown.log, status: 'sealed' };
  await deps.store.save(tx, { ...grown, log: sealed }, now);
  return sealed;
}

function createLog(deps: AuditLogDeps, name: LogName): AuditLog {
  const origin = originOf(deps.auditOrigin, name);
  return {
    ...name,
    origin,
    size: 0,
    root: emptyRoot(),
    checkpoint: '',
    verifierKey: formatVerifierKey(signerOf(deps, origin).verifierKey),
    publishedSize: 0,
    status: 'open',
  };
}
