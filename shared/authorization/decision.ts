import { allowReuse, isOptionalCacheSeconds } from './decision-lifetime.ts';

/**
 * Codes with a meaning of their own, stable for those who act on them; `policies/schemas/decision.json` says what each
 * means. `forbidden` is an explicit deny, `not_permitted` the want of a grant, `error` a refusal because nothing could be
 * decided. `budget_exhausted` the built-in policy does not answer, a customer's may; it may answer other codes too.
 */
export const decisionCodes = [
  'permitted',
  'not_permitted',
  'forbidden',
  'step_up_required',
  'budget_exhausted',
  'unknown_subject',
  'subject_disabled',
  'organization_suspended',
  'error',
] as const;

export type DecisionCode = (typeof decisionCodes)[number];

/** What the asking party must do; AuthZEN obligations profile. One it cannot perform means deny. */
export type Obligation = { readonly type: string; readonly id: string; readonly [member: string]: unknown };

export type Decision = {
  readonly decision: boolean;
  readonly code: DecisionCode | (string & {});
  /** Name of the rule that decided. */
  readonly rule?: string;
  /** Id of the binding that decided. */
  readonly binding?: string;
  /** Its role, as the facts name it that were decided on; absent when they hold no such binding. */
  readonly role?: string;
  readonly obligations?: readonly Obligation[];
  /** The policy wants this decision recorded at every level, before the answer leaves: `"privileged": true`. */
  readonly isPrivileged?: true;
  /** For how long it may be used again without asking; absent, as nearly always, means not at all. */
  readonly cacheSeconds?: number;
  /** Revision of the policy that answered; absent when none was loaded. */
  readonly revision?: string;
  /** How new the facts were: a later question may demand at least this (`minDataRevision`). */
  readonly dataRevision?: number;
  /** Only with code `error`: for logs, never for the asking party. */
  readonly cause?: unknown;
};

/** Error is deny. */
export function refuseForError(cause: unknown, revision?: string): Decision {
  return { decision: false, code: 'error', cause, ...(revision === undefined ? {} : { revision }) };
}

/** The first result of the policy's result set, or undefined when it is not a decision. */
export function parseDecision(resultSet: unknown, revision: string): Decision | undefined {
  if (!Array.isArray(resultSet) || resultSet.length !== 1) return undefined;
  const result: unknown = isRecord(resultSet[0]) ? resultSet[0]['result'] : undefined;
  if (!isRecord(result)) return undefined;
  const { decision, code, rule, binding, obligations, cache_seconds: cacheSeconds } = result;
  if (typeof decision !== 'boolean' || typeof code !== 'string' || code === '') return undefined;
  if (!isOptionalString(rule) || !isOptionalString(binding) || !areObligations(obligations)) return undefined;
  if (!isOptionalCacheSeconds(cacheSeconds)) return undefined;
  const parsed: Decision = {
    decision,
    code,
    ...(rule === undefined ? {} : { rule }),
    ...(binding === undefined ? {} : { binding }),
    ...(obligations === undefined ? {} : { obligations }),
    ...(result['privileged'] === true ? { isPrivileged: true } : {}),
    revision,
  };
  return cacheSeconds === undefined ? parsed : allowReuse(parsed, cacheSeconds);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isOptionalString(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

function areObligations(value: unknown): value is readonly Obligation[] | undefined {
  if (value === undefined) return true;
  return Array.isArray(value) && value.every(isObligation);
}

function isObligation(value: unknown): value is Obligation {
  return isRecord(value) && typeof value['type'] === 'string' && typeof value['id'] === 'string';
}
