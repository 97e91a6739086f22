import { type Migration, Migrator } from 'kysely/migration';
import { openOwnerDatabase } from '../shared/db/index.ts';
import * as organization from './0001-create-organization.ts';
import * as people from './0002-create-people.ts';
import * as credentials from './0003-create-credentials.ts';
import * as auditEvent from './0004-create-audit-event.ts';
import * as auditLog from './0005-create-audit-log.ts';
import * as token from './0006-create-token.ts';
import * as gitSource from './0007-create-git-source.ts';
import * as notify from './0008-notify-authorization-change.ts';
import * as authorizationModel from './0009-add-authorization-model.ts';
import * as decisionLog from './0010-create-decision-log.ts';
import * as apiKeyLife from './0011-add-api-key-life.ts';
import * as serviceAccountLifecycle from './0012-add-service-account-lifecycle.ts';
import * as trustRule from './0013-create-trust-rule.ts';
import * as revokeSigningKey from './0014-revoke-signing-key.ts';
import * as subjectKey from './0016-create-subject-key.ts';
import * as teamWalk from './0017-index-team-walk.ts';
import * as dataKeyRotation from './0018-create-data-key-rotation.ts';
import * as keyEnvironment from './0019-keep-key-environment.ts';
import * as group from './0020-create-group.ts';
import * as supersedeRotation from './0021-supersede-data-key-rotation.ts';
import * as countNoJournalLines from './0022-count-no-journal-lines.ts';
import * as reviseTeamsApart from './0023-revise-teams-apart.ts';

/** Append-only. Named here, not found on disk, so that a bundle carries them. */
const migrations: Readonly<Record<string, Migration>> = {
  '0001-create-organization': organization,
  '0002-create-people': people,
  '0003-create-credentials': credentials,
  '0004-create-audit-event': auditEvent,
  '0005-create-audit-log': auditLog,
  '0006-create-token': token,
  '0007-create-git-source': gitSource,
  '0008-notify-authorization-change': notify,
  '0009-add-authorization-model': authorizationModel,
  '0010-create-decision-log': decisionLog,
  '0011-add-api-key-life': apiKeyLife,
  '0012-add-service-account-lifecycle': serviceAccountLifecycle,
  '0013-create-trust-rule': trustRule,
  '0014-revoke-signing-key': revokeSigningKey,
  '0016-create-subject-key': subjectKey,
  '0017-index-team-walk': teamWalk,
  '0018-create-data-key-rotation': dataKeyRotation,
  '0019-keep-key-environment': keyEnvironment,
  '0020-create-group': group,
  '0021-supersede-data-key-rotation': supersedeRotation,
  '0022-count-no-journal-lines': countNoJournalLines,
  '0023-revise-teams-apart': reviseTeamsApart,
};

/** Applies what is missing, in one transaction. Returns the names applied; throws with the cause otherwise. */
export async function migrateToLatest(ownerUrl: string): Promise<string[]> {
  await using database = openOwnerDatabase(ownerUrl);
  const migrator = new Migrator({
    db: database.kysely,
    provider: { getMigrations: async () => ({ ...migrations }) },
  });
  const { error, results } = await migrator.migrateToLatest();
  if (error !== undefined) {
    const failed = results?.find((result) => result.status === 'Error')?.migrationName ?? 'unknown';
    throw new Error(`Migration ${failed} failed; nothing was changed`, { cause: error });
  }
  return (results ?? []).map((result) => result.migrationName);
}
