import type { OrganizationId } from '../organization/index.ts';

/** UTC, `yyyy-mm-dd`. With the organization it names a log, as `log_id` in the database and in every path. */
export type LogDay = string;

/** The head of a log: one a day an organization has events. A sealed log never grows again. */
export type AuditLog = {
  readonly organizationId: OrganizationId;
  readonly day: LogDay;
  /** Also the name of its key: `<host>/audit/<organization>/<day>`. */
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  /** The signed note for exactly this size and root. */
  readonly checkpoint: string;
  readonly verifierKey: string;
  /** Entries that the published checkpoint covers. */
  readonly publishedSize: number;
  readonly status: 'open' | 'sealed';
};

export type LogName = Pick<AuditLog, 'organizationId' | 'day'>;

export type AuditEntry = {
  readonly index: number;
  /** Source and id name an event: it is in the organization's logs at most once. */
  readonly source: string;
  readonly eventId: string;
  /** The entry's exact bytes, as UTF-8. */
  readonly leaf: string;
  readonly leafHash: Uint8Array;
  readonly occurredAt: Date;
};

export function toLogDay(instant: Date): LogDay {
  return instant.toISOString().slice(0, 10);
}

export function originOf(auditOrigin: string, log: LogName): string {
  return `${auditOrigin}/audit/${log.organizationId}/${log.day}`;
}

/** Where the log's files are in the object store, below the path of its origin. */
export function objectPrefixOf(log: LogName): string {
  return `audit/${log.organizationId}/${log.day}/`;
}
