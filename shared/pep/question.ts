/** A JSON object of attributes, free for the policy to read. */
export type Attributes = Readonly<Record<string, unknown>>;

/** Whom a decision is about. `type` is `user`, `service_account`, ...; `id` as the decision point knows it. */
export type Subject = { readonly type: string; readonly id: string; readonly properties?: Attributes };
export type Action = { readonly name: string; readonly properties?: Attributes };
export type Resource = { readonly type: string; readonly id: string; readonly properties?: Attributes };

/** May this subject perform this action on this resource? AuthZEN Authorization API 1.0 section 6.1. */
export type Question = {
  readonly subject: Subject;
  readonly action: Action;
  readonly resource: Resource;
  /** Circumstances: `amr`, network, time window, ... Part of the question, and so of a cache key. */
  readonly context?: Attributes;
};

/** A question as it travels: the JSON text, and its members in an order that never changes. */
export type QuestionWire = { readonly json: string; readonly members: readonly string[] };

/**
 * Everything the decision may depend on, once: the JSON sent and the key kept are made from the same values, so what
 * is not asked cannot be in the key and what is asked cannot be missing from it. Undefined when it is no question, or
 * no JSON (a cycle, a BigInt, nesting beyond the stack).
 */
export function toQuestionWire(question: Question): QuestionWire | undefined {
  try {
    const { subject, action, resource, context } = question;
    const wire: unknown = JSON.parse(
      JSON.stringify({
        subject: { type: subject.type, id: subject.id, properties: subject.properties },
        action: { name: action.name, properties: action.properties },
        resource: { type: resource.type, id: resource.id, properties: resource.properties },
        context,
      }),
      sortMembers,
    );
    const members = [
      ...readEntity(wire, 'subject', ['type', 'id']),
      ...readEntity(wire, 'action', ['name']),
      ...readEntity(wire, 'resource', ['type', 'id']),
      readAttributes(wire, 'context'),
    ];
    return { json: JSON.stringify(wire), members };
  } catch {
    return undefined;
  }
}

/**
 * Length-prefixed: no choice of members makes the text of another list. A separator alone would let `a|b` and `c`
 * stand for `a` and `b|c` (OpenFGA CVE-2024-56323 is a key that left inputs out; this is its sibling).
 */
export function toKey(members: readonly string[]): string {
  return members.map((member) => `${member.length}:${member}`).join('');
}

/** The order of an object's members is not part of a question. */
function sortMembers(_name: string, value: unknown): unknown {
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function readEntity(wire: unknown, name: string, required: readonly string[]): string[] {
  const entity = memberOf(wire, name);
  return [...required.map((member) => readText(entity, member)), readAttributes(entity, 'properties')];
}

function readText(entity: unknown, name: string): string {
  const value = memberOf(entity, name);
  if (typeof value !== 'string' || value === '') throw new TypeError(`"${name}" must be a text`);
  return value;
}

function readAttributes(value: unknown, name: string): string {
  const attributes = memberOf(value, name);
  if (attributes === undefined) return '';
  if (!isRecord(attributes)) throw new TypeError(`"${name}" must be an object`);
  return JSON.stringify(attributes);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Own members only: what a prototype carries nobody said. */
export function memberOf(value: unknown, name: string): unknown {
  return isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}
