import { z } from 'zod';
import { personalMembersSchema } from './sealed-member.ts';

/**
 * Every event we publish and what its data holds, `actor` aside. Names and opaque ids only: no secret, and no
 * readable personal data, since a leaf of the audit log can never be changed. What a person's e-mail address or name
 * was and is stands in `personal`, sealed under a key that can be destroyed.
 */
const managedBy = z.enum(['git', 'api', 'platform']);
const changes = z.array(z.string()).max(50);
const named = z.strictObject({ name: z.string(), managedBy });
const changed = z.strictObject({ name: z.string(), changes });
const removed = z.strictObject({ name: z.string() });
const personal = { personal: personalMembersSchema.optional() };
const member = z.strictObject({ memberType: z.enum(['user', 'service_account']), memberId: z.string() });
const teamMember = member.extend({ team: z.string() });
const groupMember = member.extend({ group: z.string() });
const role = z.strictObject({ name: z.string(), permissions: z.array(z.string()) });
const binding = z.strictObject({
  name: z.string(),
  role: z.string(),
  subjectType: z.enum(['user', 'team', 'group', 'service_account']),
  subjectId: z.string(),
  scopeType: z.enum(['organization', 'team', 'resource']),
  scopeId: z.string(),
  effect: z.enum(['allow', 'deny']),
  /** Absent when there is none. */
  conditions: z.array(z.record(z.string(), z.json())).max(8).optional(),
});
const resource = z.strictObject({ type: z.string(), resourceId: z.string() });
const because = { reason: z.string().optional() };
/** `userId` is the owner of a personal key. */
const apiKey = z.strictObject({
  fingerprint: z.string(),
  serviceAccountId: z.string().optional(),
  userId: z.string().optional(),
});

const trustRule = z.strictObject({ name: z.string(), serviceAccountId: z.string() });
const dataKey = z.strictObject({ purpose: z.string(), version: z.int() });

export const eventCatalog = {
  'uos.organization.created.v1': named,
  'uos.organization.updated.v1': changed,
  'uos.membership.created.v1': named.extend(personal),
  'uos.membership.updated.v1': changed.extend(personal),
  'uos.membership.removed.v1': removed.extend(personal),
  'uos.user.erased.v1': z.strictObject({
    keysDestroyed: z.int(),
    membership: z.enum(['pseudonymised', 'none']),
    plansRedacted: z.int(),
  }),
  'uos.team.created.v1': named,
  'uos.team.updated.v1': changed,
  'uos.team.removed.v1': removed,
  'uos.team-member.added.v1': teamMember,
  'uos.team-member.updated.v1': teamMember,
  'uos.team-member.removed.v1': teamMember,
  'uos.group.created.v1': named,
  'uos.group.updated.v1': changed,
  'uos.group.removed.v1': removed,
  'uos.group-member.added.v1': groupMember,
  'uos.group-member.updated.v1': groupMember,
  'uos.group-member.removed.v1': groupMember,
  'uos.role.created.v1': role,
  'uos.role.updated.v1': role,
  'uos.role.removed.v1': removed,
  'uos.role-binding.created.v1': binding,
  'uos.role-binding.updated.v1': binding,
  'uos.role-binding.removed.v1': binding,
  'uos.resource-type.registered.v1': named.extend({ actions: z.array(z.string()).max(100) }),
  // Names of attributes and not their values, which may be about persons.
  'uos.resource.registered.v1': resource.extend({
    managedBy,
    team: z.string().optional(),
    owner: z.string().optional(),
    attributes: z.array(z.string()).max(100),
  }),
  'uos.resource.updated.v1': resource.extend({ changes }),
  'uos.resource.removed.v1': resource,
  // What it was made for, whose it is and when it ends: absent where there is none.
  'uos.service-account.created.v1': named.extend({
    ...because,
    ownerTeamId: z.string().optional(),
    expiresAt: z.string().optional(),
  }),
  // What it is now, of what has changed; null where there is none any more.
  'uos.service-account.updated.v1': changed.extend({
    ...because,
    ownerTeamId: z.string().nullable().optional(),
    expiresAt: z.string().nullable().optional(),
  }),
  'uos.service-account.disabled.v1': removed.extend(because),
  'uos.service-account.enabled.v1': removed.extend(because),
  'uos.service-account.removed.v1': removed.extend(because),
  'uos.api-key.issued.v1': apiKey.extend({
    ...because,
    /** Absent when the key is not narrowed. */
    scopes: z.array(z.string()).max(100).optional(),
    /** How many; absent when it works from anywhere. */
    allowedNetworks: z.int().optional(),
    expiresAt: z.string().optional(),
  }),
  'uos.api-key.disabled.v1': apiKey.extend(because),
  'uos.api-key.enabled.v1': apiKey.extend(because),
  'uos.api-key.rotated.v1': apiKey.extend({
    ...because,
    previousFingerprint: z.string(),
    /** Absent when the secret before ended with the rotation. */
    previousUntil: z.string().optional(),
  }),
  'uos.api-key.revoked.v1': apiKey.extend(because),
  /** `fingerprint` is that of the secret that has leaked, which a rotation had ended. */
  'uos.api-key.leak-reported.v1': apiKey,
  'uos.trust-rule.created.v1': trustRule.extend({
    issuer: z.string(),
    audience: z.string(),
    subjectPattern: z.string(),
    requiredClaims: z
      .array(z.strictObject({ pointer: z.string(), value: z.union([z.string(), z.number(), z.boolean()]) }))
      .max(10),
    tokenAgeSecondsMax: z.int(),
    tokenUse: z.enum(['once', 'until_expiry']),
    /** Absent when tokens are not narrowed. */
    scopes: z.array(z.string()).max(50).optional(),
    hasOwnKeys: z.boolean(),
    /** RFC 7638, SHA-256; absent when the keys are found by discovery. */
    keyThumbprints: z.array(z.string()).max(50).optional(),
  }),
  'uos.trust-rule.disabled.v1': trustRule,
  'uos.trust-rule.enabled.v1': trustRule,
  'uos.trust-rule.removed.v1': trustRule,
  'uos.token.issued.v1': z.strictObject({
    tokenId: z.string(),
    keyId: z.string(),
    audience: z.string(),
    scope: z.string(),
    expiresAt: z.string(),
    /** Of the API key that was presented. */
    fingerprint: z.string().optional(),
    trustRuleId: z.string().optional(),
    /** `sub` of the foreign token. */
    workload: z.string().optional(),
    /** Who acts for the subject, the one who asked first. */
    actors: z.array(z.string()).max(3).optional(),
  }),
  'uos.token.refused.v1': z.strictObject({ reason: z.string() }),
  'uos.decision-log.changed.v1': z.strictObject({
    level: z.enum(['all', 'denials-and-privileged']),
    masks: z.array(z.strictObject({ path: z.string(), mode: z.enum(['hash', 'remove']) })).max(50),
  }),
  'uos.decision-log.read.v1': z.strictObject({ count: z.int() }),
  'uos.decision-segment.written.v1': z.strictObject({
    objectKey: z.string(),
    sha256: z.string(),
    count: z.int(),
    from: z.string(),
    to: z.string(),
    policyRevision: z.string(),
  }),
  'uos.signing-key.rotation-requested.v1': z.strictObject({ requestId: z.string() }),
  'uos.signing-key.published.v1': z.strictObject({ algorithm: z.string(), activeFrom: z.string() }),
  'uos.signing-key.retired.v1': z.strictObject({ algorithm: z.string() }),
  'uos.signing-key.revoked.v1': z.strictObject({
    algorithm: z.string(),
    reason: z.string().optional(),
    replacedBy: z.string().optional(),
  }),
  'uos.data-key.rotation-requested.v1': z.strictObject({ purpose: z.string() }),
  'uos.data-key.added.v1': dataKey.extend({ activeFrom: z.string() }),
  'uos.data-key.rewrapped.v1': dataKey.extend({ wrappingKeyId: z.string() }),
  'uos.data-key.destroyed.v1': dataKey,
  'uos.git-source.registered.v1': z.strictObject({ url: z.string(), ref: z.string() }),
  'uos.git-source.push-received.v1': z.strictObject({
    ref: z.string(),
    deliveryId: z.string(),
    commit: z.string().optional(),
  }),
  'uos.reconcile.applied.v1': z.strictObject({
    runId: z.string(),
    sourceId: z.string(),
    commit: z.string(),
    planHash: z.string(),
    created: z.int(),
    updated: z.int(),
    removed: z.int(),
  }),
  'uos.reconcile.refused.v1': z.strictObject({
    sourceId: z.string(),
    commit: z.string(),
    name: z.string(),
    code: z.string(),
    faults: z.array(z.string()).max(20),
  }),
  'uos.audit-log.opened.v1': z.strictObject({
    origin: z.string(),
    day: z.string(),
    previousCheckpoint: z.string().optional(),
  }),
  'uos.audit-log.closed.v1': z.strictObject({ origin: z.string(), day: z.string(), entries: z.int() }),
  'uos.audit-export.requested.v1': z.strictObject({ from: z.string(), to: z.string() }),
  'uos.audit-export.completed.v1': z.strictObject({ events: z.int(), objectPrefix: z.string() }),
  'uos.audit-trail.read.v1': z.strictObject({
    count: z.int(),
    /** How many sealed members were asked to be opened; absent when none were. */
    personalData: z.int().optional(),
  }),
} as const satisfies Record<`uos.${string}.v${number}`, z.ZodObject>;

export type EventType = keyof typeof eventCatalog;
export type EventData<Type extends EventType> = z.infer<(typeof eventCatalog)[Type]>;

/** Who did it: a person, an automation, the declared repository, or the platform by schedule. Ids only. */
export const actorSchema = z.strictObject({
  type: z.enum(['user', 'service_account', 'git_source', 'system']),
  id: z.string().min(1),
  /** Accounts that acted for it by delegation (RFC 8693 section 4.1), the one who asked first; absent: itself. */
  actedBy: z.array(z.string()).min(1).max(3).optional(),
});
export type Actor = z.infer<typeof actorSchema>;

/** Topics: the log of everything, and work that a function is asked to do. */
export type Topic =
  | 'audit.identity'
  | 'reconcile.requested'
  | 'audit-export.requested'
  | 'key-rotation.requested';
