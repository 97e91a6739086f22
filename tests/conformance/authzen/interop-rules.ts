import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/**
 * The published rules of the interop scenarios, stated once more and apart from the Rego, to say what is to be
 * expected. Only the data is shared.
 */
const read = <T>(scenario: string, schema: z.ZodType<T>): T =>
  schema.parse(JSON.parse(readFileSync(join(import.meta.dirname, scenario, 'data.json'), 'utf8')));

const people = z.object({
  users: z.record(z.string(), z.object({ name: z.string(), email: z.string(), roles: z.array(z.string()) })),
});
const staff = z.object({
  users: z.record(z.string(), z.object({ role: z.string(), department: z.string() })),
  records: z.record(z.string(), z.object({ department: z.string(), owner: z.string() })),
});

export type EvaluationCase = {
  readonly subject: { readonly type: string; readonly id: string };
  readonly action: { readonly name: string };
  readonly resource: {
    readonly type: string;
    readonly id: string;
    readonly properties?: { ownerID: string };
  };
  readonly expected: boolean;
};

const { users } = read('todo', people);

/** Viewers may look; editors create, and change what is theirs; the evil genius updates and the admin deletes anything. */
function mayDoTodo(id: string, action: string, ownerId: string | undefined): boolean {
  const { email, roles = [] } = users[id] ?? {};
  const isEditorOfOwn = roles.includes('editor') && ownerId === email;
  switch (action) {
    case 'can_read_user':
    case 'can_read_todos':
      return id in users;
    case 'can_create_todo':
      return roles.includes('admin') || roles.includes('editor');
    case 'can_update_todo':
      return roles.includes('evil_genius') || isEditorOfOwn;
    case 'can_delete_todo':
      return roles.includes('admin') || isEditorOfOwn;
    default:
      return false;
  }
}

const ricks = Object.values(users).find(({ name }) => name === 'Rick')?.email ?? '';

/** Five people, each: look twice, create, and change and delete their own and Rick's (Rick: his and Morty's). */
export function todoCases(): EvaluationCase[] {
  const others = Object.values(users).find(({ name }) => name === 'Morty')?.email ?? '';
  return Object.entries(users).flatMap(([id, { email }]) => {
    const owners = [email, email === ricks ? others : ricks];
    const asked = [
      ...['can_read_user', 'can_read_todos', 'can_create_todo'].map((name) => ({ name, owner: undefined })),
      { name: 'can_create_todo', owner: email },
      ...['can_update_todo', 'can_delete_todo'].flatMap((name) => owners.map((owner) => ({ name, owner }))),
    ];
    return asked.map(({ name, owner }, n) => ({
      subject: { type: 'user', id },
      action: { name },
      resource: { type: 'todo', id: `todo-${n}`, ...(owner && { properties: { ownerID: owner } }) },
      expected: mayDoTodo(id, name, owner),
    }));
  });
}

const routes = [
  ['GET', '/users/{userId}'],
  ['GET', '/todos'],
  ['POST', '/todos'],
  ['PUT', '/todos/{todoId}'],
  ['DELETE', '/todos/{todoId}'],
] as const;

/** Who is known may GET; anything else takes a role that changes things. */
export function gatewayCases(): EvaluationCase[] {
  return Object.entries(users).flatMap(([id, { roles }]) =>
    routes.map(([name, route]) => ({
      subject: { type: 'identity', id },
      action: { name },
      resource: { type: 'route', id: route },
      expected: name === 'GET' || roles.some((role) => role !== 'viewer'),
    })),
  );
}

const { users: employees, records } = read('search', staff);
export const recordActions = ['view', 'edit', 'delete'] as const;
export const employeeIds = Object.keys(employees).sort();
export const recordIds = Object.keys(records).sort();

export function mayDoRecord(id: string, action: string, recordId: string): boolean {
  const [employee, record] = [employees[id], records[recordId]];
  if (employee === undefined || record === undefined) return false;
  const isOwner = record.owner === id;
  const isColleague = record.department === employee.department;
  const isManager = employee.role === 'manager';
  if (action === 'view') return isOwner || isColleague || isManager;
  if (action === 'edit') return isOwner || (isColleague && isManager);
  return action === 'delete' && isOwner;
}
