import type { ApiKeyStore } from '../../shared/api-key/index.ts';
import type { AuditExportStore, AuditTrailStore } from '../../shared/audit/index.ts';
import type { Authenticator } from '../../shared/authentication/index.ts';
import type { EvaluateAccessDeps } from '../../shared/authorization/index.ts';
import type { DatabasePool } from '../../shared/db/index.ts';
import type {
  DecisionJournal,
  DecisionLogStore,
  DecisionSegmentStore,
} from '../../shared/decision-record/index.ts';
import type { EventRecorder } from '../../shared/events/index.ts';
import type { GitSourceStore } from '../../shared/git-source/index.ts';
import type { IdempotencyRecordStore } from '../../shared/idempotency/index.ts';
import type { Clock, Random } from '../../shared/kernel/index.ts';
import type { ObjectStore } from '../../shared/object-store/index.ts';
import type { OrganizationDirectory, OrganizationStore } from '../../shared/organization/index.ts';
import type { PersonStore, SubjectKeyStore } from '../../shared/personal-data/index.ts';
import type { CallerLimits } from '../../shared/rate-limit/index.ts';
import type { ResourceStore } from '../../shared/resource/index.ts';
import type { DataKeyRotationStore } from '../../shared/rewrap/index.ts';
import type { KeyRing } from '../../shared/secret/index.ts';
import type { ServiceAccountStore } from '../../shared/service-account/index.ts';
import type { SigningKeyStore } from '../../shared/signing-key/index.ts';
import type { Logger } from '../../shared/telemetry/index.ts';
import type { TrustRuleStore } from '../../shared/workload-identity/index.ts';

/** All that the operations stand on. `pool` is exchanged for a joined transaction when a request has a key. */
export type AdminDeps = {
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
  readonly pool: DatabasePool;
  readonly events: EventRecorder;
  readonly authenticator: Authenticator;
  readonly limits: CallerLimits;
  readonly access: EvaluateAccessDeps;
  readonly objects: ObjectStore;
  readonly workloadIdentity: {
    /** Of our tokens; the audience that foreign ones are asked to have. */
    readonly issuer: string;
    /** Foreign issuers that may be http and at private addresses. */
    readonly internalIssuers: ReadonlySet<string>;
  };
  readonly rings: {
    readonly pepper: KeyRing;
    readonly webhookSecrets: KeyRing;
    readonly responses: KeyRing;
    readonly personalData: KeyRing;
    /** For the key that takes the place of a revoked one. */
    readonly signingKeys: KeyRing;
  };
  readonly stores: {
    readonly organization: OrganizationStore;
    readonly directory: OrganizationDirectory;
    readonly serviceAccount: ServiceAccountStore;
    readonly apiKey: ApiKeyStore;
    readonly trustRule: TrustRuleStore;
    readonly gitSource: GitSourceStore;
    readonly resource: ResourceStore;
    readonly signingKey: SigningKeyStore;
    readonly dataKeyRotation: DataKeyRotationStore;
    readonly auditExport: AuditExportStore;
    readonly auditTrail: AuditTrailStore;
    readonly subjectKey: SubjectKeyStore;
    readonly person: PersonStore;
    readonly decisionLog: DecisionLogStore;
    readonly decisions: { readonly journal: DecisionJournal; readonly segments: DecisionSegmentStore };
    readonly idempotency: IdempotencyRecordStore;
  };
};
