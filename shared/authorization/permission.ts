import { z } from 'zod';

/** What the services of this platform ask of their callers. */
export const permissions = [
  'organization:read',
  'organization:update',
  'organization:create',
  'organization:list',
  'group:read',
  'service_account:read',
  'service_account:create',
  'service_account:update',
  'service_account:disable',
  'service_account:delete',
  'service_account:act_as',
  'api_key:read',
  'api_key:issue',
  'api_key:revoke',
  'api_key:disable',
  'api_key:rotate',
  'personal_api_key:issue',
  'trust_rule:create',
  'trust_rule:read',
  'trust_rule:disable',
  'trust_rule:remove',
  'audit:read',
  'audit:export',
  'personal_data:read',
  'personal_data:erase',
  'authorization:evaluate',
  'git_source:create',
  'git_source:read',
  'resource_type:create',
  'resource_type:read',
  'resource:create',
  'resource:read',
  'resource:update',
  'resource:remove',
  'signing_key:revoke',
  'signing_key:rotate',
  'data_key:read',
  'data_key:rotate',
] as const;

export type Permission = (typeof permissions)[number];

/** Names of the roles that policies/data/roles defines. A custom role cannot take one. */
export const builtInRoles = [
  'OrgOwner',
  'OrgAdmin',
  'Billing',
  'Security',
  'Auditor',
  'Developer',
  'Member',
  'PlatformOperator',
] as const;

export type BuiltInRole = (typeof builtInRoles)[number];

export function isBuiltInRole(name: string): name is BuiltInRole {
  return builtInRoles.some((role) => role === name);
}

/** A permission of a role: `<resource type>:<action>`, either segment `*` for any. */
export const permissionPatternSchema = z
  .string()
  .max(128, 'must be at most 128 characters')
  .regex(
    /^(?:\*|[a-z][a-z0-9_.-]*):(?:\*|[a-z][a-z0-9_.-]*)$/,
    'must be <type>:<action> in lower case, either may be *',
  );
