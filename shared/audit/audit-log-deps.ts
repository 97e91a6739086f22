import type { KeyObject } from 'node:crypto';
import type { DatabasePool } from '../db/index.ts';
import type { CloudEvent, DomainEvent } from '../events/index.ts';
import type { Clock } from '../kernel/index.ts';
import type { AuditLogStore } from './audit-log-store.ts';

/** What appending stands on. */
export type AuditLogDeps = {
  readonly pool: DatabasePool;
  readonly store: AuditLogStore;
  readonly clock: Clock;
  /** Host name that every log's origin begins with. */
  readonly auditOrigin: string;
  /** Ed25519. One key for all logs; each log's key differs in name and key id. */
  readonly signingKey: KeyObject;
  /** An event of our own, for the first and the last entry of a log. */
  readonly createEvent: (organizationId: string, event: DomainEvent) => CloudEvent;
};
