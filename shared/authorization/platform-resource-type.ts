import { permissions } from './permission.ts';

/** Types that built-in roles have permissions on, or that decisions are about, before a service of ours asks about them. */
const beyondPermissions = [
  'binding',
  'budget',
  'decision',
  'group',
  'invoice',
  'membership',
  'role',
  'session',
  'team',
  'usage',
  'user',
];

const platformTypes: ReadonlySet<string> = new Set([
  ...permissions.map((permission) => permission.slice(0, permission.indexOf(':'))),
  ...beyondPermissions,
]);

/**
 * Whether things of this type are the platform's own. Threat: whoever could register one could say of another's key,
 * account or trust rule to which team it belongs, and so make a permission within a team one on all of them.
 */
export function isPlatformResourceType(name: string): boolean {
  return platformTypes.has(name);
}
