import { changeDecisionLogOperation } from './change-decision-log.ts';
import { createOrganizationOperation } from './create-organization.ts';
import { createServiceAccountOperation } from './create-service-account.ts';
import { createTrustRuleOperation } from './create-trust-rule.ts';
import { deleteServiceAccountOperation } from './delete-service-account.ts';
import { disableApiKeyOperation } from './disable-api-key.ts';
import { disableServiceAccountOperation } from './disable-service-account.ts';
import { disableTrustRuleOperation } from './disable-trust-rule.ts';
import { downloadAuditExportFileOperation } from './download-audit-export-file.ts';
import { enableApiKeyOperation } from './enable-api-key.ts';
import { enableServiceAccountOperation } from './enable-service-account.ts';
import { enableTrustRuleOperation } from './enable-trust-rule.ts';
import { eraseUserOperation } from './erase-user.ts';
import { getAuditExportOperation } from './get-audit-export.ts';
import { getDataKeyRotationOperation } from './get-data-key-rotation.ts';
import { getDecisionLogOperation } from './get-decision-log.ts';
import { getGitSourceOperation } from './get-git-source.ts';
import { getGroupOperation } from './get-group.ts';
import { getOrganizationOperation } from './get-organization.ts';
import { getServiceAccountOperation } from './get-service-account.ts';
import { getTrustRuleOperation } from './get-trust-rule.ts';
import { issueApiKeyOperation } from './issue-api-key.ts';
import { issuePersonalApiKeyOperation } from './issue-personal-api-key.ts';
import { listApiKeysOperation } from './list-api-keys.ts';
import { listAuditEventsOperation } from './list-audit-events.ts';
import { listDataKeyRotationsOperation } from './list-data-key-rotations.ts';
import { listDecisionsOperation } from './list-decisions.ts';
import { listGitSourcesOperation } from './list-git-sources.ts';
import { listGroupsOperation } from './list-groups.ts';
import { listMembersOperation } from './list-members.ts';
import { listOrganizationsOperation } from './list-organizations.ts';
import { listResourceTypesOperation } from './list-resource-types.ts';
import { listResourcesOperation } from './list-resources.ts';
import { listRoleBindingsOperation } from './list-role-bindings.ts';
import { listRolesOperation } from './list-roles.ts';
import { listServiceAccountsOperation } from './list-service-accounts.ts';
import { listSigningKeysOperation } from './list-signing-keys.ts';
import { listTeamsOperation } from './list-teams.ts';
import { listTrustRulesOperation } from './list-trust-rules.ts';
import type { Operation } from './operation.ts';
import { registerGitSourceOperation } from './register-git-source.ts';
import { registerResourceOperation } from './register-resource.ts';
import { registerResourceTypeOperation } from './register-resource-type.ts';
import { removeResourceOperation } from './remove-resource.ts';
import { removeTrustRuleOperation } from './remove-trust-rule.ts';
import { requestAuditExportOperation } from './request-audit-export.ts';
import { revokeApiKeyOperation } from './revoke-api-key.ts';
import { revokeApiKeysOperation } from './revoke-api-keys.ts';
import { revokeSigningKeyOperation } from './revoke-signing-key.ts';
import { rotateApiKeyOperation } from './rotate-api-key.ts';
import { rotateDataKeyOperation } from './rotate-data-key.ts';
import { rotateSigningKeyOperation } from './rotate-signing-key.ts';
import { updateResourceOperation } from './update-resource.ts';
import { updateServiceAccountOperation } from './update-service-account.ts';

/** Every route there is. The router, the OpenAPI document and the tests that attack each route read this table. */
export const operations: readonly Operation[] = [
  createOrganizationOperation,
  listOrganizationsOperation,
  getOrganizationOperation,
  listMembersOperation,
  eraseUserOperation,
  listTeamsOperation,
  listGroupsOperation,
  getGroupOperation,
  listRolesOperation,
  listRoleBindingsOperation,
  createServiceAccountOperation,
  listServiceAccountsOperation,
  getServiceAccountOperation,
  updateServiceAccountOperation,
  disableServiceAccountOperation,
  enableServiceAccountOperation,
  deleteServiceAccountOperation,
  createTrustRuleOperation,
  listTrustRulesOperation,
  getTrustRuleOperation,
  disableTrustRuleOperation,
  enableTrustRuleOperation,
  removeTrustRuleOperation,
  registerResourceTypeOperation,
  listResourceTypesOperation,
  registerResourceOperation,
  listResourcesOperation,
  updateResourceOperation,
  removeResourceOperation,
  issueApiKeyOperation,
  issuePersonalApiKeyOperation,
  listApiKeysOperation,
  disableApiKeyOperation,
  enableApiKeyOperation,
  rotateApiKeyOperation,
  revokeApiKeyOperation,
  revokeApiKeysOperation,
  listAuditEventsOperation,
  requestAuditExportOperation,
  getAuditExportOperation,
  downloadAuditExportFileOperation,
  listDecisionsOperation,
  getDecisionLogOperation,
  changeDecisionLogOperation,
  registerGitSourceOperation,
  listGitSourcesOperation,
  getGitSourceOperation,
  listSigningKeysOperation,
  rotateSigningKeyOperation,
  revokeSigningKeyOperation,
  rotateDataKeyOperation,
  listDataKeyRotationsOperation,
  getDataKeyRotationOperation,
];
