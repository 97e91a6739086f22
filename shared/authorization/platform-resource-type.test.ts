import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { permissions } from './permission.ts';
import { isPlatformResourceType } from './platform-resource-type.ts';

const data = join(import.meta.dirname, '../../policies/data');
const read = (file: string): unknown => JSON.parse(readFileSync(join(data, file), 'utf8'));

/** Every text of the form `<type>:<action>`, wherever it stands. */
function permissionsIn(value: unknown): string[] {
  if (typeof value === 'string') return /^[a-z_*]+:[a-z_*]+$/.test(value) ? [value] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(permissionsIn) : [];
}

const asked = [
  ...permissions,
  ...permissionsIn(read('roles/data.json')),
  ...permissionsIn(read('platform/data.json')),
];
const types = [...new Set(asked.map((permission) => permission.slice(0, permission.indexOf(':'))))];

// Threat: a type that is forgotten here can be registered, with a team of the tenant's choice.
it.each(types.filter((type) => type !== '*'))('the type "%s" is the platform’s own', (type) => {
  expect(isPlatformResourceType(type)).toBe(true);
});

it('types of an organization’s own services are not', () => {
  expect(['document', 'model', 'personal', 'toString'].filter(isPlatformResourceType)).toEqual([]);
});
